// Ours: <vigie-player>, and nothing more.

const token = new URLSearchParams(location.hash.slice(1)).get('token');

export const load = () => import('/player/tile.js');

export function open(camera, query) {
  const player = document.createElement('vigie-player');
  for (const [name, value] of [['tenant', 'compare'], ['camera', camera], ['latency', query.get('latency') ?? 'balanced']]) player.setAttribute(name, value);
  player.token = token;
  document.body.append(player);
  // The picture is as large as that of the others; the bar is on top of it.
  player.style.setProperty('height', `${180 + player.offsetHeight - player.video.offsetHeight}px`);
  return () => player.video;
}
