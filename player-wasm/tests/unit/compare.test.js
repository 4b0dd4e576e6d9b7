// What feeds the others in `npm run compare`: where pictures are cut, when they were taken, and what a low-latency playlist says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { find } from '../compare/cameras.js';
import { annexB, fragments, packets, taken } from '../compare/cut.js';
import { Parts } from '../compare/parts.js';
import { median } from '../compare/table.js';

const box = (type, body) => {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + body.length);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, body]);
};
const unit = (...bytes) => Buffer.from([0, 0, 0, bytes.length, ...bytes]);
/** Byte by byte, and all at once: the same pieces. */
const both = (make, stream) => {
  const [whole, slow] = [make(), make()];
  const pieces = whole(stream);
  const small = [...stream].flatMap((byte) => slow(Buffer.from([byte])));
  return [pieces, small];
};

test('fragments are cut at their boxes, key pictures known by their NAL units', () => {
  const moov = box('moov', Buffer.from([1]));
  const moof = box('moof', Buffer.from([2]));
  const [key, other] = [unit(0x65, 1), unit(0x41, 1)].map((nal) => box('mdat', Buffer.concat([unit(6, 5), nal])));
  for (const pieces of both(fragments, Buffer.concat([box('ftyp', Buffer.alloc(4)), moov, moof, key, moof, other]))) {
    assert.deepEqual(pieces.map((piece) => [Boolean(piece.head), Boolean(piece.key), piece.bytes.length]), [[true, false, 21], [false, true, 9 + key.length], [false, false, 9 + other.length]]);
  }
});

test('transport packets: a viewer can begin at the PAT before a random access point', () => {
  const packet = (pid, random = false) => {
    const bytes = Buffer.alloc(188, 0xff);
    bytes.set([0x47, 0x40 | (pid >> 8), pid & 255, random ? 0x30 : 0x10, 7, random ? 0x50 : 0]);
    return bytes;
  };
  const stream = Buffer.concat([packet(256), packet(0), packet(4096), packet(256, true), packet(256), packet(0).subarray(0, 40)]);
  const cut = packets();
  assert.deepEqual(cut(stream).map(({ key, bytes }) => [key, bytes.length / 188]), [[false, 1], [true, 4]]);
  assert.deepEqual(cut(packet(0).subarray(40)).map(({ bytes }) => bytes.length), [188]);
});

test('FLV becomes whole pictures of Annex B, parameter sets before a key picture that has none', () => {
  const tag = (...body) => Buffer.from([9, 0, 0, body.length, 0, 0, 0, 0, 0, 0, 0, ...body, 0, 0, 0, 11 + body.length]);
  const sets = [0x17, 0, 0, 0, 0, 1, 0x64, 0, 30, 0xff, 0xe1, 0, 2, 0x67, 9, 1, 0, 2, 0x68, 8];
  const stream = Buffer.concat([Buffer.alloc(13), tag(...sets), tag(0x17, 1, 0, 0, 0, ...unit(0x65, 7)), tag(0x27, 1, 0, 0, 0, ...unit(0x41, 7))]);
  for (const pieces of both(annexB, stream)) {
    assert.deepEqual(pieces.map(({ key }) => key), [true, false]);
    assert.equal(pieces[0].bytes.toString('hex'), '0000000167090000000168080000000165' + '07');
    assert.equal(pieces[1].bytes.toString('hex'), '000000014107');
  }
});

test('the moment that a simulated camera wrote into its picture is read through emulation prevention', () => {
  const utc = Buffer.alloc(8);
  utc.writeBigInt64BE(BigInt(Date.now()) * 1000n);
  const sei = Buffer.concat([Buffer.from([6, 5, 32]), Buffer.from('vigie-Sim-Pictur'), Buffer.from([0, 0, 3, 0, 0, 3, 0, 0, 3, 0, 17]), utc]);
  assert.ok(Math.abs(Date.now() - taken(sei)) < 5000);
  assert.equal(taken(Buffer.from('something else')), null);
  assert.equal(taken(sei.subarray(0, 30)), null);
});

test('a playlist of parts, asked for before they are there', async () => {
  const parts = new Parts();
  const give = (from, to) => {
    for (let i = from; i < to; i += 1) parts.take({ key: i % 50 === 0, bytes: Buffer.from([i]) });
  };
  parts.take({ head: true, bytes: Buffer.from('init') });
  give(0, 100);
  assert.equal(String(await parts.answer('init.mp4', new URLSearchParams())), 'init');
  const waits = parts.answer('live.m3u8', new URLSearchParams('_HLS_msn=2&_HLS_part=0'));
  const hinted = parts.answer('s2.0.m4s', new URLSearchParams());
  give(100, 105);
  const list = String(await waits);
  assert.match(list, /#EXT-X-PART:DURATION=0.200,URI="s2.0.m4s",INDEPENDENT=YES\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="s2.1.m4s"\n$/);
  assert.equal(list.match(/#EXTINF:2\.000,/g)?.length, 2);
  assert.deepEqual([...(await hinted)], [100, 101, 102, 103, 104]);
  assert.equal((await parts.answer('s1.m4s', new URLSearchParams())).length, 50);
  assert.equal(await parts.answer('s9.m4s', new URLSearchParams()), null);
  assert.ok(parts.ready);
});

test('a picture on the screen is the last of its number that had been sent', () => {
  const sent = [[7, 1000], [8, 1040], [7, 61_000], [8, 61_040]];
  assert.equal(find(sent, 7, 1500), 0);
  assert.equal(find(sent, 7, 61_020), 2);
  assert.equal(find(sent, 8, 61_020), 1);
  assert.equal(find(sent, 9, 61_020), -1);
});

test('rounds are made one by the median of each value', () => {
  const rounds = [[3, 16, [1, 9]], [1, 15, [2, 8]], [2, 16, [3, 7]]].map(([cpu, playing, delay]) => ({ name: 'x', cpu, playing, delay }));
  assert.deepEqual(median(rounds), { name: 'x', cpu: 2, playing: 15, delay: [2, 8] });
});
