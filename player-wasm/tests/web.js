// The pages of examples/web to look at: starts `vigie-centre demo`, bundles React and Vue, serves everything until Ctrl-C.

import { serve } from '../../examples/web/server.mjs';
import * as centre from './browser/centre.js';
import { bundles } from './browser/web.js';

if (!centre.binary()) {
  console.error('vigie-centre is not built: cargo build -p vigie-centre, or give its path in VIGIE_CENTRE');
  process.exit(1);
}
const server = await centre.start();
const { front, portal } = await serve({ centre: server.base, token: async () => server.token, bundles: await bundles() });
console.log(`plain HTML  ${front}/plain/\nReact       ${front}/react/\nVue         ${front}/vue/\niframe      ${portal}/iframe/portal.html\nCtrl-C ends it.`);
process.once('SIGINT', async () => {
  await server.stop();
  process.exit(0);
});
