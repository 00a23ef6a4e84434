// Gives eight rare pieces of the model's vocabulary the names of the placeholders that stand for names, numbers and times.
//   node scripts/general-model/add-placeholders.mjs general/model.safetensors base.safetensors
import { addSymbols } from '../../bench/codes/add-symbols.mjs';
import { copyPlaceholders } from './copies.mjs';

const [from, to] = process.argv.slice(2);
if (!to) throw new Error('usage: add-placeholders.mjs FROM.safetensors TO.safetensors');
console.log(`replaced: ${addSymbols(from, to, Object.values(copyPlaceholders).flat()).join(' ')}`);
