/** Draws points as discs, in WebGL 2. Nothing is compiled from text but the shaders, so a strict policy lets it be. */

import type { Framing, Viewport } from "./camera";

export interface Drawing {
  camera: Framing;
  view: Viewport;
  /** Radius of a point of factor 1, in CSS pixels. */
  radius: number;
  /** Factor of the largest point. */
  largest: number;
  /** 0 to 1. */
  opacity: number;
  /** Red, green and blue of the background, 0 to 1. */
  background: readonly [number, number, number];
}

const VERTICES = `#version 300 es
in vec2 place;
in vec4 colour;
in float factor;
uniform vec2 centre;
uniform vec2 scale;
uniform float radius;
uniform float largest;
flat out vec4 tint;
flat out float edge;
void main() {
  tint = colour;
  edge = min(factor * radius, largest);
  // A disc's edge takes a pixel more, which would be most of a small one: that is a square of the disc's area.
  gl_PointSize = edge < 1.0 ? max(1.0, 2.0 * edge) : 2.0 * edge + 1.0;
  // What is hidden lies outside of what is seen.
  gl_Position = colour.a > 0.0 ? vec4((place - centre) * scale, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
}`;

const FRAGMENTS = `#version 300 es
precision mediump float;
flat in vec4 tint;
flat in float edge;
uniform float opacity;
out vec4 painted;
void main() {
  float alpha = tint.a * opacity;
  if (edge < 1.0) {
    // What is smaller than a pixel leaves less of it.
    alpha *= 0.785398 * min(1.0, 4.0 * edge * edge);
  } else {
    float distance = length(gl_PointCoord - 0.5) * (2.0 * edge + 1.0);
    alpha *= clamp(edge + 0.5 - distance, 0.0, 1.0);
  }
  painted = vec4(tint.rgb * alpha, alpha);
}`;

const ATTRIBUTES = ["place", "colour", "factor"] as const;
const UNIFORMS = ["centre", "scale", "radius", "largest", "opacity"] as const;
type Attribute = (typeof ATTRIBUTES)[number];
type Uniform = (typeof UNIFORMS)[number];

/** Throws where the browser has no WebGL 2. */
export class PointRenderer {
  private readonly gl: WebGL2RenderingContext;
  private readonly buffers: Record<Attribute, WebGLBuffer>;
  private readonly places: Record<Attribute, number>;
  private readonly uniforms: Record<Uniform, WebGLUniformLocation>;
  private readonly order: WebGLBuffer;
  private samples = 0;
  private colours: Uint8Array | null = null;
  private shown: Uint8Array | null = null;
  /** Whether the driver has other colours than these. */
  private isTinted = false;
  private hasFactors = false;
  private isOrdered = false;
  /** Radius in pixels of the device beyond which its driver draws no point. */
  private readonly limit: number;

  constructor(private readonly canvas: HTMLCanvasElement) {
    const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, depth: false, stencil: false });
    if (!gl) throw new Error("no WebGL 2");
    this.gl = gl;
    const program = compiled(gl);
    gl.useProgram(program);
    gl.bindVertexArray(gl.createVertexArray());
    const named = <K extends string, V>(names: readonly K[], make: (name: K) => V): Record<K, V> =>
      Object.fromEntries(names.map((name) => [name, make(name)])) as Record<K, V>;
    this.places = named(ATTRIBUTES, (name) => gl.getAttribLocation(program, name));
    this.uniforms = named(UNIFORMS, (name) => gl.getUniformLocation(program, name)!);
    this.buffers = named(ATTRIBUTES, () => gl.createBuffer());
    this.order = gl.createBuffer();
    const [, widest] = gl.getParameter(gl.ALIASED_POINT_SIZE_RANGE) as Float32Array;
    this.limit = (widest! - 1) / 2;
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.attribute("place", 2, gl.FLOAT, false);
    this.attribute("colour", 4, gl.UNSIGNED_BYTE, true);
    this.attribute("factor", 1, gl.FLOAT, false);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.order);
  }

  /** x0 y0 x1 y1 ...; a point that is not finite has to be hidden. */
  setPlaces(xy: Float32Array): void {
    this.samples = xy.length / 2;
    this.upload("place", xy);
  }

  /** Red, green, blue and opacity of each point, a byte each. */
  setColours(colours: Uint8Array): void {
    this.colours = colours;
    this.isTinted = false;
  }

  /** Radius of each point in units of the common one; null: all have it. */
  setFactors(factors: Float32Array | null): void {
    const { gl, places } = this;
    if (factors || this.hasFactors) {
      // An array that was switched off again makes some drivers draw three times as slowly as one of ones.
      this.hasFactors = true;
      gl.enableVertexAttribArray(places.factor);
      this.upload("factor", factors ?? new Float32Array(this.samples).fill(1));
    } else {
      gl.disableVertexAttribArray(places.factor);
      gl.vertexAttrib1f(places.factor, 1);
    }
  }

  /** Above 0 for each point that is drawn; null: all are. */
  setShown(shown: Uint8Array | null): void {
    this.shown = shown;
    this.isTinted = false;
  }

  /** Rows in the order of drawing, the last on top; null: as they come. */
  setOrder(order: Uint32Array | null): void {
    this.isOrdered = order !== null;
    if (order) this.gl.bufferData(this.gl.ELEMENT_ARRAY_BUFFER, order, this.gl.STATIC_DRAW);
  }

  /** The largest radius that a point can have, in CSS pixels. */
  get largestRadius(): number {
    return this.limit / density();
  }

  draw({ camera, view, radius, largest, opacity, background }: Drawing): void {
    const { gl, canvas, uniforms } = this;
    this.tint();
    const [width, height] = [Math.round(view.width * density()), Math.round(view.height * density())];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    // Set by itself: while the room for it changes, the map stays as it was painted last.
    canvas.style.width = `${view.width}px`;
    canvas.style.height = `${view.height}px`;
    // Drivers leave out a point whose centre lies outside of the viewport, so that is wider than the canvas.
    const border = Math.ceil(Math.min(largest * radius * density(), this.limit)) + 1;
    gl.viewport(-border, -border, width + 2 * border, height + 2 * border);
    gl.clearColor(...background, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(uniforms.centre, camera.x, camera.y);
    gl.uniform2f(
      uniforms.scale,
      height / ((width + 2 * border) * camera.distance),
      height / ((height + 2 * border) * camera.distance),
    );
    gl.uniform1f(uniforms.radius, radius * density());
    gl.uniform1f(uniforms.largest, this.limit);
    gl.uniform1f(uniforms.opacity, opacity);
    if (this.isOrdered) gl.drawElements(gl.POINTS, this.samples, gl.UNSIGNED_INT, 0);
    else gl.drawArrays(gl.POINTS, 0, this.samples);
  }

  /** Gives the driver the colours, those of hidden points without any opacity, which needs no array of its own. */
  private tint(): void {
    const { colours, shown } = this;
    if (this.isTinted || !colours) return;
    this.isTinted = true;
    if (!shown) {
      this.upload("colour", colours);
      return;
    }
    const tinted = colours.slice();
    for (let row = 0; row < shown.length; row++) if (!shown[row]) tinted[4 * row + 3] = 0;
    this.upload("colour", tinted);
  }

  private attribute(name: Attribute, size: number, type: number, normalized: boolean): void {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
    gl.enableVertexAttribArray(this.places[name]);
    gl.vertexAttribPointer(this.places[name], size, type, normalized, 0, 0);
  }

  private upload(name: Attribute, values: Float32Array | Uint8Array): void {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
  }
}

/** Pixels of the device to one of CSS. */
const density = (): number => window.devicePixelRatio || 1;

function compiled(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  for (const [type, source] of [
    [gl.VERTEX_SHADER, VERTICES],
    [gl.FRAGMENT_SHADER, FRAGMENTS],
  ] as const) {
    const shader = gl.createShader(type)!;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  // Attribute 0 must be one that every point has: some drivers are slow without.
  gl.bindAttribLocation(program, 0, "place");
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
    throw new Error(`The shaders do not compile: ${gl.getProgramInfoLog(program) ?? ""}`);
  }
  return program;
}
