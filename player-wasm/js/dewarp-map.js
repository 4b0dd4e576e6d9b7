// Where in a fisheye picture a direction lies. Angles are degrees; the same mapping runs in the shader of dewarp.js.

/** @typedef {'ceiling' | 'wall' | 'floor'} Mount */
/** @typedef {'equidistant' | 'equisolid' | 'stereographic'} Lens */

/**
 * The lens and how it hangs.
 * @typedef {object} Fisheye
 * @property {Mount} mount
 * @property {Lens} lens      How the distance from the centre grows with the angle from the axis.
 * @property {number} angle   That the whole circle sees: 180, or what the data sheet says.
 * @property {number} x       Centre of the circle, of the picture's width.
 * @property {number} y       … of its height, from the top.
 * @property {number} radius  Of the circle, of the picture's height.
 */

/** Looked at: to the right and up are positive; `angle` is that from the lower to the upper edge. @typedef {{pan: number, tilt: number, angle: number}} View */

/** @type {Fisheye} */
export const USUAL = Object.freeze({ mount: 'ceiling', lens: 'equidistant', angle: 180, x: 0.5, y: 0.5, radius: 0.5 });

const rad = (/** @type {number} */ degrees) => (degrees * Math.PI) / 180;
const deg = (/** @type {number} */ radians) => (radians * 180) / Math.PI;
const clamp = (/** @type {number} */ value, /** @type {number} */ low, /** @type {number} */ high) => Math.max(low, Math.min(high, value));

/** How far up the axis points. @param {Mount} mount */
export const pitch = (mount) => ({ ceiling: -90, wall: 0, floor: 90 })[mount];

/** Of the circle's radius, by the angle from the axis in radians. @type {Record<Lens, (theta: number) => number>} */
const GROWTH = {
  equidistant: (theta) => theta,
  equisolid: (theta) => Math.sin(theta / 2),
  stereographic: (theta) => Math.tan(theta / 2),
};

/** @typedef {[number, number, number]} Vector  Right, up, ahead. */

/** The directions that a view is spanned by: ahead, right, up. @param {View} view @returns {[Vector, Vector, Vector]} */
export function basis({ pan, tilt }) {
  const [p, t] = [rad(pan), rad(tilt)];
  return [
    [Math.sin(p) * Math.cos(t), Math.sin(t), Math.cos(p) * Math.cos(t)],
    [Math.cos(p), 0, -Math.sin(p)],
    [-Math.sin(p) * Math.sin(t), Math.cos(t), -Math.cos(p) * Math.sin(t)],
  ];
}

/**
 * The direction behind a point of the view: −1 to 1 to the right and up.
 * @param {View} view @param {number} x @param {number} y @param {number} aspect width by height
 * @returns {Vector}
 */
export function ray(view, x, y, aspect) {
  const reach = Math.tan(rad(view.angle) / 2);
  const [ahead, right, up] = basis(view);
  const [a, b, c] = [0, 1, 2].map((i) => (ahead[i] ?? 0) + (right[i] ?? 0) * x * reach * aspect + (up[i] ?? 0) * y * reach);
  const length = Math.hypot(a ?? 0, b ?? 0, c ?? 0);
  return [(a ?? 0) / length, (b ?? 0) / length, (c ?? 0) / length];
}

/**
 * The point of the picture that shows a direction, 0 to 1 from its left and its top; null outside of the circle.
 * @param {Vector} direction @param {Fisheye} fisheye @param {number} aspect  The picture's width by its height.
 */
export function project([right, up, ahead], { mount, lens, angle, x, y, radius }, aspect) {
  const tip = rad(pitch(mount));
  const along = up * Math.sin(tip) + ahead * Math.cos(tip);
  const above = up * Math.cos(tip) - ahead * Math.sin(tip);
  const theta = Math.acos(clamp(along, -1, 1));
  const half = rad(angle) / 2;
  if (theta > half + 1e-9) return null;
  const way = (GROWTH[lens](theta) / GROWTH[lens](half)) * radius;
  const side = Math.hypot(right, above) || 1;
  return { x: x + ((right / side) * way) / aspect, y: y - (above / side) * way };
}

/** A view that the lens can give: its middle lies within the circle. @param {View} view @param {Fisheye} fisheye @returns {View} */
export function within({ pan, tilt, angle }, fisheye) {
  const half = fisheye.angle / 2;
  const wide = clamp(angle, 10, 120);
  const turned = ((((pan + 180) % 360) + 360) % 360) - 180;
  if (fisheye.mount === 'ceiling') return { pan: turned, tilt: clamp(tilt, -90, Math.min(90, half - 90)), angle: wide };
  if (fisheye.mount === 'floor') return { pan: turned, tilt: clamp(tilt, Math.max(-90, 90 - half), 90), angle: wide };
  const held = { pan: clamp(turned, -half, half), tilt: clamp(tilt, -Math.min(90, half), Math.min(90, half)), angle: wide };
  // On a wall both together: towards the axis until the direction is one that the lens sees.
  const off = deg(Math.acos(clamp(Math.cos(rad(held.pan)) * Math.cos(rad(held.tilt)), -1, 1)));
  return off <= half ? held : { pan: (held.pan * half) / off, tilt: (held.tilt * half) / off, angle: wide };
}
