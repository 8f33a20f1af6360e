/** The treemap: one focus stop, arrows between tiles, Enter zooms in, Escape or Backspace out. */

import { grouped, human, percent } from './numbers.js';
import { shownTiles } from './tiles.js';
import { squarify } from './treemap_layout.js';

/** @typedef {import('./tiles.js').Tile} Tile */
/** @typedef {import('./treemap_layout.js').Box} Box */

/** Smaller tiles have no text. @type {{ width: number, height: number }} in CSS pixels */
const READABLE = { width: 56, height: 40 };
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

/** So many levels are seen inside a tile before one zooms in. */
const PREVIEWED = 2;
/** Room for a tile's text above what is inside, and around it, in CSS pixels. */
const HEADER = 26;
const EDGE = 4;
const LEAST = 5;

/**
 * @param {HTMLElement} made
 * @param {Box} box
 */
function place(made, { x, y, width, height }) {
  Object.assign(made.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
}

/**
 * What is inside a tile, to look at.
 * @param {Tile} tile
 * @param {Box} outer where the tile is, in what these are put into
 * @param {number} levels
 * @returns {HTMLElement[]}
 */
function preview({ children }, outer, levels) {
  const { x, y, width, height } = outer;
  const box = { x: x + EDGE, y: y + HEADER, width: width - 2 * EDGE, height: height - HEADER - EDGE };
  if (levels === 0 || children.length < 2 || box.width < READABLE.width || box.height < HEADER) return [];
  const boxes = squarify(
    children.map(({ size }) => size),
    box,
  );
  const large = children.filter((_, index) => Math.min(boxes[index].width, boxes[index].height) >= LEAST);
  return large.map((child) => inside(child, boxes[children.indexOf(child)], levels - 1));
}

/**
 * @param {Tile} tile
 * @param {Box} box
 * @param {number} levels
 */
function inside(tile, box, levels) {
  const made = document.createElement('span');
  made.className = `inside role-${tile.role}`;
  place(made, box);
  if (box.width >= READABLE.width && box.height >= HEADER) made.append(tile.name);
  made.append(...preview(tile, { ...box, x: 0, y: 0 }, levels));
  return made;
}

export class Treemap {
  /** @type {Tile[]} from the whole down to what is shown */
  #path = [];
  /** @type {Box[]} */
  #boxes = [];

  /**
   * @param {HTMLElement} stage where the tiles are
   * @param {HTMLElement} crumbs an empty list of where one is
   * @param {HTMLElement} told says what is shown, aloud
   */
  constructor(stage, crumbs, told) {
    this.stage = stage;
    this.crumbs = crumbs;
    this.told = told;
    stage.addEventListener('keydown', (event) => this.#key(event));
    new ResizeObserver(() => this.#draw(this.#focused())).observe(stage);
  }

  /** @param {Tile} whole */
  show(whole) {
    this.#path = [whole];
    this.#draw();
  }

  get #current() {
    return this.#path[this.#path.length - 1];
  }

  get #tiles() {
    return [...this.stage.querySelectorAll('button')];
  }

  #focused() {
    return this.#tiles.findIndex((tile) => tile === document.activeElement);
  }

  /** @param {number} [focus] index of the tile that has the focus */
  #draw(focus = -1) {
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (width === 0 || this.#path.length === 0) return;
    const tiles = shownTiles(this.#current, width * height);
    this.#boxes = squarify(
      tiles.map(({ size }) => size),
      { x: 0, y: 0, width, height },
    );
    // Beside the buttons, not in them: what is seen inside a tile is no part of its name.
    const looks = document.createElement('div');
    looks.ariaHidden = 'true';
    looks.append(...tiles.flatMap((tile, index) => preview(tile, this.#boxes[index], PREVIEWED)));
    this.stage.replaceChildren(...tiles.map((tile, index) => this.#button(tile, this.#boxes[index])), looks);
    this.#makeStop(Math.max(0, focus));
    if (focus >= 0) this.#tiles[focus]?.focus();
    this.#drawCrumbs();
  }

  /**
   * @param {Tile} tile
   * @param {Box} box
   */
  #button(tile, box) {
    const button = document.createElement('button');
    button.className = `tile role-${tile.role}`;
    place(button, box);
    const words = this.#words(tile);
    button.setAttribute('aria-label', words);
    button.title = words;
    if (box.width >= READABLE.width && box.height >= READABLE.height) {
      const size = document.createElement('b');
      size.textContent = human(tile.size);
      button.append(tile.name, ' ', size);
    }
    button.addEventListener('click', () => this.#zoom(tile));
    return button;
  }

  /** @param {Tile} tile */
  #words(tile) {
    const share = `${percent(tile.size, this.#current.size)} of ${this.#current.name}`;
    const parts = tile.children.length > 0 ? `, ${tile.children.length} parts` : `, ${tile.role}`;
    return `${tile.name} ${human(tile.size)}, ${share}${parts}`;
  }

  /** @param {Tile} tile */
  #zoom(tile) {
    if (tile.children.length === 0) {
      this.told.textContent = `${tile.name}: ${grouped(tile.size)} bytes, ${tile.role}`;
      return;
    }
    this.#path.push(tile);
    this.#draw(0);
    this.#tell();
  }

  /** @param {number} depth how many of the path stay */
  #zoomOut(depth) {
    if (depth < 1 || depth >= this.#path.length) return;
    const from = this.#path[depth];
    this.#path.length = depth;
    const { clientWidth, clientHeight } = this.stage;
    const shown = shownTiles(this.#current, clientWidth * clientHeight);
    // What stood together with others has been made anew, so it is known by its name.
    this.#draw(Math.max(0, shown.findIndex(({ name }) => name === from.name)));
    this.#tell();
  }

  #tell() {
    const { name, size, children } = this.#current;
    this.told.textContent = `${name}: ${grouped(size)} bytes in ${children.length} parts`;
  }

  #drawCrumbs() {
    const last = this.#path.length - 1;
    this.crumbs.replaceChildren(
      ...this.#path.map((tile, depth) => {
        const item = document.createElement('li');
        const step = document.createElement(depth === last ? 'span' : 'button');
        step.textContent = tile.name;
        if (depth === last) step.setAttribute('aria-current', 'location');
        else step.addEventListener('click', () => this.#zoomOut(depth + 1));
        item.append(step);
        return item;
      }),
    );
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const at = this.#focused();
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'Escape' || event.key === 'Backspace') this.#zoomOut(this.#path.length - 1);
    else if (event.key === 'Home') this.#move(0);
    else if (event.key === 'End') this.#move(this.#tiles.length - 1);
    else if (event.key in ARROWS) this.#move(this.#neighbour(at, ARROWS[event.key]));
    else return;
    event.preventDefault();
  }

  /** @param {number} index */
  #move(index) {
    this.#makeStop(index);
    this.#tiles[index].focus();
  }

  /** @param {number} index of the one tile that Tab reaches */
  #makeStop(index) {
    for (const [each, tile] of this.#tiles.entries()) tile.tabIndex = each === index ? 0 : -1;
  }

  /**
   * The nearest tile in a direction; the same where there is none.
   * @param {number} from
   * @param {[number, number]} direction
   */
  #neighbour(from, [dx, dy]) {
    const centre = (/** @type {Box} */ { x, y, width, height }) => [x + width / 2, y + height / 2];
    const [fromX, fromY] = centre(this.#boxes[from]);
    let best = from;
    let least = Infinity;
    for (const [index, box] of this.#boxes.entries()) {
      const [x, y] = centre(box);
      const along = (x - fromX) * dx + (y - fromY) * dy;
      const aside = Math.abs((x - fromX) * dy) + Math.abs((y - fromY) * dx);
      if (along > 1 && along + 2 * aside < least) [best, least] = [index, along + 2 * aside];
    }
    return best;
  }
}
