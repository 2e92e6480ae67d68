/** The end of a script that ran series of faults: what was found, the table, the totals. */
import { writeFileSync } from 'node:fs';
import { faultTable, type SeriesResult, totalsLine, totalsOf } from './nats-series-report.ts';

/** Prints what came of series, writes it to a file where one is named, and gives the exit code. */
export function printSeries(
  name: string,
  results: readonly SeriesResult[],
  jsonFile: string | undefined,
): 0 | 1 {
  for (const { verdict } of results) {
    for (const complaint of verdict.complaints) console.log(complaint);
  }
  const totals = totalsOf(results);
  console.log(`NATS ${results[0]?.version}, three servers, three replicas; median / maximum`);
  console.log(faultTable(results));
  if (jsonFile !== undefined) {
    writeFileSync(jsonFile, `${JSON.stringify({ totals, results }, undefined, 2)}\n`);
  }
  console.log(`steps cut off, and so run again: ${totals.stepsCutOff}`);
  console.log(totalsLine(name, totals));
  const { faults, acknowledged, complaints } = totals;
  return faults > 0 && acknowledged > 0 && complaints === 0 ? 0 : 1;
}
