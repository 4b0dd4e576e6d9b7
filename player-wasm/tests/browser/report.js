// A table of values beside their bounds.
//
// VIGIE_SLACK=N lets times be N times beyond their bound without failing the run (the row says so): a busy machine is no
// fault of the player. What is on the screen (counts, shares of pictures) has no slack. `make shows` gives none.

const SLACK = Math.max(1, Number(process.env.VIGIE_SLACK ?? 1));

export class Report {
  constructor() {
    this.rows = [];
  }

  /** @param {string} where @param {string} what @param {string | number} value @param {string} bound @param {boolean} good @param {boolean} [slow] */
  add(where, what, value, bound, good, slow = false) {
    this.rows.push({ where, what, value: String(value), bound, good: good || slow });
    console.log(`${good ? '  ok  ' : slow ? ' over ' : ' FAIL '} ${where.padEnd(9)} ${what.padEnd(46)} ${String(value).padEnd(34)} ${bound}`);
  }

  /** Something to know beside the rows: it has no bound, and is not counted. @param {string} where @param {string} what @param {string} value */
  note(where, what, value) {
    console.log(`       ${where.padEnd(9)} ${what.padEnd(46)} ${value}`);
  }

  /** At most `most`; the largest of an empty list, minus infinity, is within no bound. @param {string} where @param {string} what @param {number} value @param {number} most @param {string} unit */
  most(where, what, value, most, unit) {
    const text = Number.isInteger(value) ? value : value.toFixed(1);
    this.add(where, what, `${text} ${unit}`.trim(), `≤ ${most} ${unit}`.trim(), Number.isFinite(value) && value <= most, ['ms', 's'].includes(unit) && Number.isFinite(value) && value <= most * SLACK);
  }

  /** @param {string} where @param {string} what @param {number} value @param {number} least @param {string} [unit] */
  least(where, what, value, least, unit = '') {
    this.add(where, what, `${value} ${unit}`.trim(), `≥ ${least} ${unit}`.trim(), Number.isFinite(value) && value >= least);
  }

  /** @param {string} where @param {string} what @param {boolean} good @param {string} [value] */
  holds(where, what, good, value = good ? 'yes' : 'no') {
    this.add(where, what, value, 'yes', good);
  }

  get failed() {
    return this.rows.filter((row) => !row.good).length;
  }

  end(skipped) {
    console.log('');
    for (const why of skipped) console.log(`skipped: ${why}`);
    console.log(`browser tests: ${this.rows.length - this.failed} of ${this.rows.length} hold, ${skipped.length} skipped`);
    return this.failed === 0;
  }
}
