/** The networks that the size report knows (exporter/report/networks.py), for reports that do not state them. */

/** @type {import('./size_report.js').Network[]} */
export const NETWORKS = [
  { name: 'Slow 3G', bitsPerSecond: 400_000 },
  { name: 'Fast 3G', bitsPerSecond: 1_440_000 },
  { name: 'Slow 4G', bitsPerSecond: 1_638_400 },
  { name: 'Fast 4G', bitsPerSecond: 8_100_000 },
  { name: 'Wi-Fi', bitsPerSecond: 30_000_000 },
  { name: 'fibre', bitsPerSecond: 300_000_000 },
];
