// What was measured, for people and for programs.
import { spread } from "./history.mjs";

const print = (text) => process.stdout.write(`${text}\n`);
const ranged = (numbers, digits) => {
  const { median, least, most } = spread(numbers);
  return `${median.toFixed(digits).padStart(9)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`;
};
const isOurs = (tool) => tool.startsWith("ckptkit");

/**
 * Prints the times of one work and how many times longer each peer takes than each tool of ours: medians and ranges of the ratios of the rounds.
 *
 * @returns the rows for `--json`
 */
export function report({ name, task, targets = [] }, times, { bytes, absent, notes }) {
  print(`\n${name}: ${task}`);
  for (const [tool, list] of Object.entries(times)) {
    const pace = bytes === undefined ? "" : `  ${(bytes / spread(list).median / 1e6).toFixed(2)} GB/s`;
    print(`  ${tool.padEnd(48)}${ranged(list, 1)} ms${pace}`);
  }
  for (const [tool, { reason }] of Object.entries(absent)) print(`  ${tool.padEnd(48)}   absent: ${reason}`);
  for (const note of notes) print(`  ${note}`);
  const rows = [];
  for (const ours of Object.keys(times).filter(isOurs)) {
    for (const target of targets.filter(({ under, ours: of = ours }) => under !== undefined && of === ours)) {
      const { median } = spread(times[ours]);
      print(`  ${`${ours} under ${target.under} ms`.padEnd(48)}${median.toFixed(1).padStart(9)} ms${verdict(median <= target.under)}`);
      rows.push({
        work: name,
        ours: timed(ours, times),
        under: target.under,
        met: median <= target.under,
        unit: "ms",
        runs: times[ours].length,
      });
    }
    for (const peer of Object.keys(times).filter((tool) => tool !== ours && !(isOurs(tool) && !targets.some((one) => one.peer === tool)))) {
      const ratios = times[peer].map((ms, round) => ms / times[ours][round]);
      const { median, least, most } = spread(ratios);
      const target = targets.find((one) => one.peer === peer && (one.ours ?? ours) === ours)?.atLeast;
      if (isOurs(peer) && target === undefined) continue;
      const goal = target === undefined ? "" : `, wanted ${target}${verdict(median >= target)}`;
      print(`  ${`${peer} / ${ours}`.padEnd(48)}${ranged(ratios, 2)}${goal}`);
      rows.push({
        work: name,
        ours: timed(ours, times),
        peer: timed(peer, times),
        unit: "ms",
        ratio: median,
        least,
        most,
        runs: ratios.length,
        ...(target !== undefined && { atLeast: target, met: median >= target }),
        ...(bytes !== undefined && { bytes }),
      });
    }
  }
  for (const [tool, { reason }] of Object.entries(absent)) rows.push({ work: name, peer: { tool }, absent: reason });
  return rows;
}

const timed = (tool, times) => ({ tool, time: spread(times[tool]).median });
const verdict = (met) => (met ? ": reached" : ": missed");
