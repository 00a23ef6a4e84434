# Builds the modules that folders in PyTorch's layout are the state_dicts of, strictly, and writes their
# logits in float64 as JSON. Usage: nn_transformer.py SRC_IDS TGT_IDS FOLDER..., ids with commas between.
import json, math, sys
import torch
from torch import nn
from safetensors.torch import load_file

torch.set_num_threads(1)
activations = {'relu': nn.functional.relu, 'gelu': nn.functional.gelu, 'silu': nn.functional.silu}


class Model(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c, D, H, eps = c, c['d_model'], c['n_heads'], c['layer_norm_eps']
        self.src_embed = nn.Embedding(c['src_vocab'], D)
        self.tgt_embed = self.src_embed if c['tie'] == 'all' else nn.Embedding(c['tgt_vocab'], D)
        layer = dict(d_model=D, dropout=0.0, activation=activations[c['activation']], layer_norm_eps=eps, batch_first=True,
                     norm_first=c['norm'] == 'pre')
        reads = dict(nhead=H, dim_feedforward=c['d_ff'], **layer)
        writes = dict(nhead=c['n_decoder_heads'], dim_feedforward=c['d_decoder_ff'], **layer)
        norm = lambda: nn.LayerNorm(D, eps) if c['final_norm'] else None
        encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(**reads), c['n_encoder_layers'], norm(), enable_nested_tensor=False)
        decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(**writes), c['n_decoder_layers'], norm())
        self.transformer = nn.Transformer(D, H, batch_first=True, custom_encoder=encoder, custom_decoder=decoder)
        self.generator = nn.Linear(D, c['tgt_vocab'], bias=c['output_bias'])
        if c['tie'] != 'none':
            self.generator.weight = self.tgt_embed.weight
        for side in ('src', 'tgt'):
            if c['positions'] == 'learned':
                setattr(self, f'{side}_pos', nn.Embedding(c['max_len'] + c['position_offset'], D))
            if c['embedding_norm']:
                setattr(self, f'{side}_embed_norm', nn.LayerNorm(D, eps))

    def embed(self, side, ids):
        c = self.c
        x = getattr(self, f'{side}_embed')(ids) * (math.sqrt(c['d_model']) if c['scale_embedding'] else 1)
        if c['positions'] == 'learned':
            x = x + getattr(self, f'{side}_pos')(torch.arange(ids.shape[1]) + c['position_offset'])
        else:
            x = x + sinusoids(ids.shape[1], c['d_model'], c['positions'])
        return getattr(self, f'{side}_embed_norm')(x) if c['embedding_norm'] else x

    def forward(self, src, tgt):
        mask = torch.full((tgt.shape[1], tgt.shape[1]), -math.inf, dtype=torch.float64).triu(1)
        return self.generator(self.transformer(self.embed('src', src), self.embed('tgt', tgt), tgt_mask=mask))


def sinusoids(n, D, kind):
    table = torch.zeros(n, D, dtype=torch.float64)
    for p in range(n):
        for j in range(D):
            angle = p / 10000 ** (2 * (j // 2) / D)
            column = j if kind == 'sinusoidal' else j // 2 + (j % 2) * math.ceil(D / 2)
            table[p, column] = math.cos(angle) if j % 2 else math.sin(angle)
    return table.float().double()


def load(folder):
    c = json.load(open(f'{folder}/config.json'))
    model = Model(c).double().eval()
    state = {name: tensor.double() for name, tensor in load_file(f'{folder}/model.safetensors').items()}
    # A state_dict has tied tensors under each of their names; the file has them once.
    tied = {'all': ['tgt_embed.weight', 'generator.weight'], 'target': ['generator.weight'], 'none': []}[c['tie']]
    for name in tied:
        assert name not in state
        state[name] = state['src_embed.weight' if c['tie'] == 'all' else 'tgt_embed.weight']
    model.load_state_dict(state, strict=True)
    return model


if __name__ == '__main__':
    src, tgt = (torch.tensor([[int(x) for x in arg.split(',')]]) for arg in sys.argv[1:3])
    with torch.no_grad():
        print(json.dumps([load(folder)(src, tgt)[0].flatten().tolist() for folder in sys.argv[3:]]))
