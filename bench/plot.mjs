// A line plot as SVG, both axes logarithmic.

const WIDTH = 860;
const HEIGHT = 440;
const MARGIN = { left: 70, right: 310, top: 40, bottom: 50 };
const COLOURS = ["#0b6e99", "#d9730d", "#0f7b6c", "#ad1a72", "#6940a5", "#64473a"];

/** Powers of ten from the one below the least to the one above the most. */
function decades(values) {
  const first = Math.floor(Math.log10(Math.min(...values)));
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...values))));
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
}

const escapeText = (text) => text.replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]);
const label = (value) => (value >= 1 ? value.toLocaleString("en-US") : String(value));

/**
 * Draws lines.
 * @param title above the plot
 * @param x, y what the axes show
 * @param lines [{ name, points: [[x, y]...], colour, dashed, bold, marked }], all values above zero; colour: which, by its
 *   position if not given; marked: its name stands at the line, too
 * @returns the SVG's text
 */
export function plot({ title, x, y, lines }) {
  const ticksX = decades(lines.flatMap(({ points }) => points.map((point) => point[0])));
  const ticksY = decades(lines.flatMap(({ points }) => points.map((point) => point[1])));
  const scale = (ticks, from, to) => {
    const [low, high] = [Math.log10(ticks[0]), Math.log10(ticks.at(-1))];
    return (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from);
  };
  const atX = scale(ticksX, MARGIN.left, WIDTH - MARGIN.right);
  const atY = scale(ticksY, HEIGHT - MARGIN.bottom, MARGIN.top);
  const round = (value) => value.toFixed(1);
  const parts = [];
  for (const tick of ticksX) {
    const at = round(atX(tick));
    parts.push(`<line x1="${at}" y1="${MARGIN.top}" x2="${at}" y2="${HEIGHT - MARGIN.bottom}" stroke="#ddd"/>`);
    parts.push(`<text x="${at}" y="${HEIGHT - MARGIN.bottom + 18}" text-anchor="middle">${label(tick)}</text>`);
  }
  for (const tick of ticksY) {
    const at = round(atY(tick));
    parts.push(`<line x1="${MARGIN.left}" y1="${at}" x2="${WIDTH - MARGIN.right}" y2="${at}" stroke="#ddd"/>`);
    parts.push(`<text x="${MARGIN.left - 8}" y="${Number(at) + 4}" text-anchor="end">${label(tick)}</text>`);
  }
  lines.forEach(({ name, points, colour: which, dashed, bold, marked }, i) => {
    const colour = COLOURS[(which ?? i) % COLOURS.length];
    const width = bold ? 3 : 2;
    const path = points.map(([px, py]) => `${round(atX(px))},${round(atY(py))}`).join(" ");
    const dash = dashed ? ' stroke-dasharray="5 4"' : "";
    parts.push(`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="${width}"${dash}/>`);
    if (marked) {
      const [markX, markY] = [round(atX(points[0][0]) + 6), round(atY(points[0][1]) + 17)];
      parts.push(`<text x="${markX}" y="${markY}" fill="${colour}" font-weight="bold">${escapeText(name)}</text>`);
    }
    const legendY = MARGIN.top + 10 + i * 20;
    const legendX = WIDTH - MARGIN.right + 14;
    parts.push(
      `<line x1="${legendX}" y1="${legendY}" x2="${legendX + 22}" y2="${legendY}" stroke="${colour}" stroke-width="${width}"${dash}/>`,
    );
    parts.push(`<text x="${legendX + 28}" y="${legendY + 4}">${escapeText(name)}</text>`);
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<text x="${MARGIN.left}" y="22" font-size="15">${escapeText(title)}</text>
${parts.join("\n")}
<text x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 10}" text-anchor="middle">${escapeText(x)}</text>
<text transform="translate(16 ${HEIGHT / 2}) rotate(-90)" text-anchor="middle">${escapeText(y)}</text>
</svg>
`;
}
