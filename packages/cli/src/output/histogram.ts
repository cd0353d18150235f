import { formatSize } from "@ckptkit/core";
import type { TensorHistogram } from "@ckptkit/inspect";
import { barText, sparkText } from "./bars.js";
import type { Screen } from "./screen.js";
import { countText, numberText, plural } from "./sizes.js";
import { pairsText, tableText } from "./table.js";

const BAR_COLUMNS = 40;

/** Writes a histogram with a bar for each bin, and magnitudes as a row of blocks. */
export function writeHistogram(histogram: TensorHistogram, screen: Screen): void {
  const { count, nan, posInf, negInf, zeros, below, above, edges, counts, magnitudes, sampled, min, max } = histogram;
  const { colors } = screen;
  const seen = sampled ? ` (a sample: ${formatSize(sampled.bytes)} of ${formatSize(sampled.ofBytes)})` : "";
  screen.write(`\n${colors.bold("histogram")} of ${plural(count, "number")}${seen}\n`);
  const special = nan + posInf + negInf;
  const facts: [string, string][] = [
    ["range", min === null ? "no finite numbers" : `${numberText(min)} to ${numberText(max)}`],
    ["zeros", countText(zeros)],
    ["not finite", special === 0 ? "none" : colors.red(`${countText(nan)} NaN, ${countText(posInf)} +Inf, ${countText(negInf)} -Inf`)],
    ...(below + above > 0 ? [["outside", `${countText(below)} below, ${countText(above)} above`] as [string, string]] : []), // a tuple
  ];
  screen.write(pairsText(facts, screen, 2));
  const largest = Math.max(1, ...counts);
  const columns = Math.min(BAR_COLUMNS, Math.max(8, screen.width - 40));
  const rows = counts.map((number, bin) => ({
    cells: [numberText(edges[bin] ?? 0), countText(number), barText(number / largest, columns)],
  }));
  if (rows.length > 0) {
    screen.write("\n");
    screen.write(
      tableText(
        [
          { title: "from", align: "right" },
          { title: "numbers", align: "right" },
          { title: "", style: colors.cyan },
        ],
        rows,
        screen,
        2,
      ),
    );
  }
  const first = magnitudes[0];
  const last = magnitudes.at(-1);
  if (!first || !last) return;
  const spark = sparkText(
    fold(
      magnitudes.map(({ positive, negative }) => positive + negative),
      Math.max(8, Math.min(64, screen.width - 40)),
    ),
  );
  screen.write(`\n  ${colors.dim("magnitudes")}  2^${first.exponent} ${colors.cyan(spark)} 2^${last.exponent}\n`);
}

/** Adds up neighbours, so that no more than `most` numbers are left. */
function fold(numbers: readonly number[], most: number): number[] {
  const each = Math.ceil(numbers.length / most);
  return Array.from({ length: Math.ceil(numbers.length / each) }, (_, at) =>
    numbers.slice(at * each, (at + 1) * each).reduce((sum, number) => sum + number, 0),
  );
}
