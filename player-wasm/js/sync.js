// Several cameras' recordings in step: one moment is told to all players, and each is held to it.

/** @import {VigiePlayer} from './player.js' */

/** Players are looked at this often, milliseconds. */
const EVERY = 100;
/** Within this of the moment a player is left alone, milliseconds. */
const CLOSE = 8;
/** Beyond this it is not hurried but sent there, or held until the moment comes, milliseconds. */
const FAR = 500;
/** The share of its speed by which a player is hurried or slowed at most. */
const MOST = 0.05;
/** One that was sent is left alone for so long, milliseconds. */
const REST = 3000;
/** A player that shows nothing of a moment by then is not waited for, milliseconds. */
const PATIENCE = 6000;

/**
 * Holds players to one moment of their recordings. Where a camera recorded nothing, its player waits at the next picture
 * that there is until its moment comes.
 */
export class VigieSync {
  /** @type {VigiePlayer[]} */
  #players;
  #utc = 0;
  #at = 0;
  #rate = 1;
  #paused = true;
  #turn = 0;
  /** It goes on once all are where they were sent. */
  #resumes = false;
  #timer = 0;
  /** Those held until their moment comes. @type {Set<VigiePlayer>} */
  #held = new Set();
  /** When each was last sent. @type {Map<VigiePlayer, number>} */
  #sent = new Map();

  /** @param {Iterable<VigiePlayer>} players */
  constructor(players) {
    this.#players = [...players];
  }

  get paused() {
    return this.#paused;
  }

  /** The moment that all are held to: seconds since 1970, UTC. */
  get currentTime() {
    return this.#now / 1e6;
  }

  get #now() {
    return this.#paused ? this.#utc : this.#utc + (performance.now() - this.#at) * 1000 * this.#rate;
  }

  /** 1/8 to 2: beyond that, players show key pictures alone and cannot be held as closely. */
  get playbackRate() {
    return this.#rate;
  }

  set playbackRate(rate) {
    if (!(rate >= 0.125 && rate <= 2)) throw new RangeError('playbackRate: 0.125 to 2');
    [this.#utc, this.#at] = [this.#now, performance.now()];
    this.#rate = rate;
    for (const player of this.#players) player.playbackRate = rate;
  }

  /** Milliseconds between the camera that is furthest on and the one furthest behind; null where fewer than two play. */
  get spread() {
    const off = this.#players.filter((player) => !this.#held.has(player)).map((player) => this.#off(player) ?? NaN);
    const known = off.filter((ms) => !Number.isNaN(ms));
    return known.length < 2 ? null : Math.max(...known) - Math.min(...known);
  }

  /** All go to a moment; resolves once all show theirs, false where another one was asked for meanwhile. @param {number} utc microseconds */
  async seek(utc) {
    const resumes = !this.#paused || this.#resumes;
    this.pause();
    this.#resumes = resumes;
    const turn = ++this.#turn;
    this.#utc = utc;
    await Promise.all(this.#players.map((player) => arrived(player, utc)));
    if (turn !== this.#turn) return false;
    if (this.#resumes) this.play();
    return true;
  }

  play() {
    if (!this.#paused) return;
    this.#paused = this.#resumes = false;
    this.#at = performance.now();
    this.#sent.clear();
    for (const player of this.#players) {
      player.playbackRate = this.#rate;
      void player.play();
    }
    this.#timer = window.setInterval(() => this.#look(), EVERY);
  }

  pause() {
    if (!this.#paused) this.#utc = this.#now;
    this.#paused = true;
    this.#resumes = false;
    clearInterval(this.#timer);
    this.#held.clear();
    for (const player of this.#players) player.pause();
  }

  /** Lets the players go; they play on, each for itself. */
  release() {
    clearInterval(this.#timer);
    this.#turn += 1;
    for (const player of this.#held) void player.play();
    for (const player of this.#players) player.playbackRate = this.#rate;
    this.#players = [];
    this.#held.clear();
  }

  /** Milliseconds that a player is ahead of the moment; null where it shows nothing. @param {VigiePlayer} player */
  #off(player) {
    const { picture, video } = player;
    if (!picture || player.isLive || player.seeking) return null;
    return (picture.utc - this.#now) / 1000 + (video.currentTime - picture.time) * 1000;
  }

  #look() {
    for (const player of this.#players) {
      const off = this.#off(player);
      if (off === null) continue;
      if (this.#held.has(player)) {
        if (off > 0) continue;
        this.#held.delete(player);
        void player.play();
      } else if (off > FAR) {
        this.#held.add(player);
        player.pause();
      } else if (off < -FAR) {
        this.#send(player);
      } else {
        this.#hurry(player, off);
      }
    }
  }

  /** @param {VigiePlayer} player */
  #send(player) {
    const now = performance.now();
    if (now - (this.#sent.get(player) ?? -REST) < REST) return;
    this.#sent.set(player, now);
    player.seek(Math.round(this.#now));
  }

  /** @param {VigiePlayer} player @param {number} off */
  #hurry({ video }, off) {
    // One that shows key pictures alone has a speed of its own.
    if (Math.abs(video.playbackRate / this.#rate - 1) > 1.2 * MOST) return;
    const by = Math.abs(off) < CLOSE ? 0 : Math.max(-MOST, Math.min(MOST, -off / 1000));
    const rate = this.#rate * (1 + Math.round(by * 200) / 200);
    if (video.playbackRate !== rate) video.playbackRate = rate;
  }
}

/** @param {VigiePlayer} player @param {number} utc */
function arrived(player, utc) {
  return new Promise((done) => {
    player.addEventListener('seeked', done, { once: true });
    setTimeout(done, PATIENCE);
    player.seek(utc);
  });
}
