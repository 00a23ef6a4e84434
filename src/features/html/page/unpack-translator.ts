// The first script of the HTML file: unpacks the translator and runs it.

export {}; // a module, whose first level may await

const packed = document.querySelector('#translator') as HTMLScriptElement;
const bytes = Uint8Array.from(atob(packed.text), (each) => each.charCodeAt(0));
const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
const script = document.createElement('script');
script.type = 'module';
script.textContent = await new Response(stream).text();
document.body.append(script);
