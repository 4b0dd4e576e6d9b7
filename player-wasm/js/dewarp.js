// A fisheye camera's picture straightened: part of it, as a camera that can be turned would show it. Live and recorded alike,
// for it is the player's own video that is drawn. Loaded by pages that have such cameras: `import '…/dewarp.js'`.

/** @import {VigiePlayer} from './player.js' */
/** @import {Fisheye, View} from './dewarp-map.js' */
/** @import {Velocity} from './ptz-stick.js' */
import { USUAL, basis, pitch, within } from './dewarp-map.js';
import { element, sheet } from './dom.js';

/** Degrees a second at full speed. */
const TURN = 60;
/** By this factor a second at full speed. */
const ZOOM = 2;

const LENSES = ['equidistant', 'equisolid', 'stereographic'];

const VERTEX = `#version 300 es
in vec2 corner;
out vec2 at;
void main() {
  at = corner;
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in vec2 at;
out vec4 colour;
uniform sampler2D picture;
uniform mat3 view;
uniform vec2 reach;
uniform vec2 tip;
uniform vec3 circle;
uniform float half_angle;
uniform float aspect;
uniform int lens;
float growth(float theta) {
  return lens == 0 ? theta : lens == 1 ? sin(theta / 2.0) : tan(theta / 2.0);
}
void main() {
  vec3 ray = normalize(view * vec3(1.0, at * reach));
  float along = ray.y * tip.x + ray.z * tip.y;
  float above = ray.y * tip.y - ray.z * tip.x;
  float theta = acos(clamp(along, -1.0, 1.0));
  if (theta > half_angle) {
    colour = vec4(0.0, 0.0, 0.0, 1.0);
    return;
  }
  float way = growth(theta) / growth(half_angle) * circle.z;
  vec2 side = vec2(ray.x, above) / max(length(vec2(ray.x, above)), 1e-9);
  colour = vec4(texture(picture, circle.xy + vec2(side.x * way / aspect, -side.y * way)).rgb, 1.0);
}`;

const styles = sheet(`
  canvas.straight { position: absolute; inset: 0; display: block; width: 100%; height: 100%; touch-action: none; cursor: grab; }
  .dimmed canvas.straight { filter: grayscale(1) brightness(.42); }
  .blank canvas.straight { visibility: hidden; }
  .brief canvas.straight { filter: brightness(.72); }
`);

/** Draws what a view sees of a fisheye picture. */
export class Straightener {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.#start();
  }

  #start() {
    const gl = this.canvas.getContext('webgl2', { alpha: false, antialias: false, preserveDrawingBuffer: true });
    if (!gl) throw new Error('this browser has no WebGL 2');
    const program = gl.createProgram();
    for (const [kind, source] of /** @type {const} */ ([[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]])) {
      const shader = gl.createShader(kind);
      if (!shader) throw new Error('WebGL: no shader');
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      throw new Error(`WebGL: ${gl.getProgramInfoLog(program)}`);
    }
    gl.useProgram(program);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 3, -1, -1, 3]), gl.STATIC_DRAW);
    const corner = gl.getAttribLocation(program, 'corner');
    gl.enableVertexAttribArray(corner);
    gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    for (const [name, value] of /** @type {const} */ ([
      [gl.TEXTURE_MIN_FILTER, gl.LINEAR],
      [gl.TEXTURE_MAG_FILTER, gl.LINEAR],
      [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE],
      [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE],
    ])) {
      gl.texParameteri(gl.TEXTURE_2D, name, value);
    }
    this.gl = gl;
    this.place = (/** @type {string} */ name) => gl.getUniformLocation(program, name);
    this.filled = false;
  }

  /** The browser took the context away and gave it back: all in it is gone. */
  restore() {
    this.#start();
  }

  /** @param {TexImageSource} picture */
  take(picture) {
    const { gl } = this;
    if (!gl || gl.isContextLost()) return;
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, picture);
    this.filled = true;
  }

  /** @param {View} view @param {Fisheye} fisheye @param {number} aspect  The picture's width by its height. */
  draw(view, fisheye, aspect) {
    const { gl, place, canvas } = this;
    if (!gl || !place || !this.filled || gl.isContextLost()) return;
    const [ahead, right, up] = basis(view);
    const rad = Math.PI / 180;
    const reach = Math.tan((view.angle * rad) / 2);
    const tip = pitch(fisheye.mount) * rad;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.uniformMatrix3fv(place('view'), false, [...ahead, ...right, ...up]);
    gl.uniform2f(place('reach'), (reach * canvas.width) / canvas.height, reach);
    gl.uniform2f(place('tip'), Math.sin(tip), Math.cos(tip));
    gl.uniform3f(place('circle'), fisheye.x, fisheye.y, fisheye.radius);
    gl.uniform1f(place('half_angle'), (fisheye.angle * rad) / 2);
    gl.uniform1f(place('aspect'), aspect);
    gl.uniform1i(place('lens'), LENSES.indexOf(fisheye.lens));
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  free() {
    this.gl?.getExtension('WEBGL_lose_context')?.loseContext();
  }
}

/**
 * A view into a fisheye player. Dragging turns it, the wheel and two fingers zoom, a `<vigie-ptz>` drives it by
 * {@link drive}; what it looks at is {@link view}, which can be kept and set again.
 */
export class VigieDewarp {
  #player;
  #fisheye;
  /** @type {View} */
  #view;
  #canvas = element('canvas', { class: 'straight', part: 'straight' });
  #straightener;
  #listening = new AbortController();
  /** @type {Velocity | null} */
  #velocity = null;
  #driven = 0;
  #frame = 0;
  #sizes;
  /** @type {Map<number, {x: number, y: number}>} */
  #fingers = new Map();
  #closed = false;

  /** @param {VigiePlayer} player @param {Partial<Fisheye>} [fisheye] */
  constructor(player, fisheye = {}) {
    this.#player = player;
    this.#fisheye = { ...USUAL, ...fisheye };
    this.#view = within({ pan: 0, tilt: pitch(this.#fisheye.mount) / 2, angle: 60 }, this.#fisheye);
    this.#straightener = new Straightener(this.#canvas);
    const root = /** @type {ShadowRoot} */ (player.shadowRoot);
    root.adoptedStyleSheets.push(styles);
    player.video.after(this.#canvas);
    this.#sizes = new ResizeObserver(() => this.#size());
    this.#sizes.observe(this.#canvas);
    this.#listen();
    this.#frames();
    this.#size();
  }

  /** Where it looks. Set, it is held to what the lens sees. */
  get view() {
    return { ...this.#view };
  }

  set view(view) {
    this.#view = within({ ...this.#view, ...view }, this.#fisheye);
    this.#draw();
  }

  get fisheye() {
    return { ...this.#fisheye };
  }

  set fisheye(fisheye) {
    this.#fisheye = { ...this.#fisheye, ...fisheye };
    this.view = this.#view;
  }

  /** Turns and zooms on, until it is told another velocity: what `<vigie-ptz>` tells. @param {Velocity | null} velocity */
  drive(velocity) {
    this.#velocity = velocity && !this.#closed && (velocity.pan || velocity.tilt || velocity.zoom) ? velocity : null;
    if (!this.#velocity || this.#driven) return;
    let before = performance.now();
    const on = (/** @type {number} */ now) => {
      this.#driven = 0;
      if (!this.#velocity) return;
      const { pan, tilt, zoom } = this.#velocity;
      const seconds = Math.min(0.2, Math.max(0, now - before) / 1000);
      before = now;
      // Closer in, the same hand turns it less.
      const by = TURN * seconds * Math.min(1, this.#view.angle / 60);
      const angle = this.#view.angle * ZOOM ** (-zoom * seconds);
      this.view = { pan: this.#view.pan + pan * by, tilt: this.#view.tilt + tilt * by, angle };
      this.#driven = requestAnimationFrame(on);
    };
    this.#driven = requestAnimationFrame(on);
  }

  /** The player shows the picture as it is again. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.drive(null);
    cancelAnimationFrame(this.#driven);
    this.#player.video.cancelVideoFrameCallback(this.#frame);
    this.#listening.abort();
    this.#sizes.disconnect();
    this.#canvas.remove();
    this.#straightener.free();
    // Its own alone: another view may have taken this one's place already.
    const sheets = this.#player.shadowRoot?.adoptedStyleSheets ?? [];
    const at = sheets.lastIndexOf(styles);
    if (at >= 0) sheets.splice(at, 1);
  }

  #listen() {
    const { signal } = this.#listening;
    const canvas = this.#canvas;
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.#fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    }, { signal });
    canvas.addEventListener('pointermove', (event) => this.#move(event), { signal });
    for (const type of /** @type {const} */ (['pointerup', 'pointercancel', 'lostpointercapture'])) {
      canvas.addEventListener(type, (event) => this.#fingers.delete(event.pointerId), { signal });
    }
    canvas.addEventListener('wheel', (event) => {
      event.preventDefault();
      const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 30 : event.deltaY;
      this.view = { ...this.#view, angle: this.#view.angle * 1.0015 ** pixels };
    }, { signal, passive: false });
    canvas.addEventListener('webglcontextlost', (event) => event.preventDefault(), { signal });
    canvas.addEventListener('webglcontextrestored', () => {
      this.#straightener.restore();
      this.#take();
    }, { signal });
    this.#player.video.addEventListener('seeked', () => this.#take(), { signal });
  }

  /** @param {PointerEvent} event */
  #move({ pointerId, clientX: x, clientY: y }) {
    const before = this.#fingers.get(pointerId);
    if (!before) return;
    const { pan, tilt, angle } = this.#view;
    const other = [...this.#fingers].find(([id]) => id !== pointerId)?.[1];
    if (other) {
      const [was, is] = [Math.hypot(before.x - other.x, before.y - other.y), Math.hypot(x - other.x, y - other.y)];
      this.view = { pan, tilt, angle: (angle * Math.max(1, was)) / Math.max(1, is) };
    } else {
      // What the finger is on goes with it.
      const by = angle / this.#canvas.clientHeight;
      this.view = { pan: pan - ((x - before.x) * by) / Math.max(0.3, Math.cos((tilt * Math.PI) / 180)), tilt: tilt + (y - before.y) * by, angle };
    }
    this.#fingers.set(pointerId, { x, y });
  }

  #size() {
    const ratio = Math.min(2, devicePixelRatio || 1);
    const [width, height] = [Math.round(this.#canvas.clientWidth * ratio), Math.round(this.#canvas.clientHeight * ratio)];
    if (!width || !height) return;
    if (this.#canvas.width !== width || this.#canvas.height !== height) Object.assign(this.#canvas, { width, height });
    this.#take();
  }

  #frames() {
    this.#frame = this.#player.video.requestVideoFrameCallback(() => {
      if (this.#closed) return;
      this.#frames();
      this.#take();
    });
  }

  #take() {
    const { video } = this.#player;
    if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || !video.videoWidth) return;
    this.#straightener.take(video);
    this.#draw();
  }

  #draw() {
    const { videoWidth, videoHeight } = this.#player.video;
    if (videoHeight) this.#straightener.draw(this.#view, this.#fisheye, videoWidth / videoHeight);
  }
}

export { USUAL as FISHEYE } from './dewarp-map.js';
