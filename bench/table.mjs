// Tables in Markdown, and the numbers in them.

/** The middle of some numbers; of two, the lower. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1];
}

/** The middle of the ratios of two lists of numbers that were measured in turns: what slows a turn slows both. */
export function medianRatio(numbers, others) {
  return median(numbers.map((value, i) => value / others[i]));
}

/** A number with three significant digits and thousands apart; a dash for none. */
export function figure(value, digits = 3) {
  if (value === undefined || Number.isNaN(value)) return "–";
  if (value === 0) return "0";
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value))));
  const rounded = Number(value.toPrecision(digits));
  const [whole, rest] = rounded.toFixed(decimals).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return rest === undefined ? grouped : `${grouped}.${rest}`;
}

/** A whole number, thousands apart. */
export function whole(value) {
  return value === undefined ? "–" : Math.round(value).toLocaleString("en-US");
}

/** Bytes in MiB. */
export function mib(bytes) {
  return bytes === undefined ? "–" : figure(bytes / 2 ** 20);
}

/**
 * A table.
 * @param title a line above it
 * @param columns names; all but the first stand to the right
 * @param rows of text or numbers; without any there is no table
 */
export function table(title, columns, rows) {
  if (rows.length === 0) return "";
  const lines = rows.map((row) => `| ${row.map((cell) => String(cell ?? "–")).join(" | ")} |`);
  const rule = columns.map((_, i) => (i === 0 ? "---" : "---:")).join("|");
  return [`**${title}**`, "", `| ${columns.join(" | ")} |`, `|${rule}|`, ...lines, ""].join("\n");
}
