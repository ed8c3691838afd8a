// Medians, spreads, and ratios pair by pair within a round, so that what else the machine does falls on both.
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}

export function spread(values) {
  const text = (value) => (value < 10 ? value.toFixed(2) : value.toFixed(0));
  return `${text(median(values))} (${text(Math.min(...values))} to ${text(Math.max(...values))})`;
}

/** The ratio of two contenders in each round. */
export function pairs({ samples }, contender, other, field = "ms") {
  return samples[contender].map((sample, round) => sample[field] / samples[other][round][field]);
}
