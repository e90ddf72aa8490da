/** The benchmark's table, for people. */
import type { Goal, Summary } from './figure.mts';

const HEAD = ['what', 'median', 'spread', 'baseline', 'ratio', 'goal', 'reached'];

export function table(figures: readonly Summary[]): string {
  const lines = [HEAD, ...figures.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const text = lines.map((line) =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  text.splice(1, 0, widths.map((width) => '─'.repeat(width)).join('  '));
  return text.join('\n');
}

function cells(figure: Summary): string[] {
  const { what, unit, median, least, most, baselineMedian, ratio, goal, reached } = figure;
  return [
    what,
    `${digits(median)} ${unit}`,
    figure.values.length > 1 ? `${digits(least)}–${digits(most)}` : '',
    baselineMedian === undefined ? '' : `${digits(baselineMedian)} ${unit}`,
    ratio === undefined ? '' : `${digits(ratio)} ×`,
    goal === undefined ? '' : goalText(goal, unit),
    reached === undefined ? '' : reached ? 'yes' : 'NO',
  ];
}

function goalText({ ratio, ratioAtLeast, most, more }: Goal, unit: string): string {
  return [
    ratio === undefined ? [] : [`≤ ${ratio} ×`],
    ratioAtLeast === undefined ? [] : [`≥ ${ratioAtLeast} ×`],
    most === undefined ? [] : [`≤ ${most} ${unit}`],
    more === undefined ? [] : [`≤ baseline + ${more} ${unit}`],
  ]
    .flat()
    .join(', ');
}

/** Three digits that count, without an exponent. */
function digits(value: number): string {
  if (!Number.isFinite(value)) return '?';
  const size = Math.abs(value);
  return value.toFixed(size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}
