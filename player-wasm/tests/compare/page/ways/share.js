// What the others have in common.

export function video() {
  const element = document.createElement('video');
  element.muted = true;
  element.autoplay = true;
  element.playsInline = true;
  document.body.append(element);
  return element;
}

/** @param {string} camera */
export const address = (camera) => `${location.origin.replace('http', 'ws')}/ws/${camera}`;

/** @param {string} camera */
export function socket(camera) {
  const opened = new WebSocket(address(camera));
  opened.binaryType = 'arraybuffer';
  return opened;
}

/** A classic script. @param {string} src */
export const script = (src) =>
  new Promise((done, fail) => {
    const element = document.createElement('script');
    element.src = src;
    element.onload = () => done();
    element.onerror = fail;
    document.head.append(element);
  });
