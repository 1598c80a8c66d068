const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24

/**
 * Where each commit in SQLite's write-ahead log ends, in bytes from the start of the log, oldest first. Ignores frames from
 * before the log was last restarted. https://www.sqlite.org/fileformat2.html#walformat
 */
export function commitsOf(log: Buffer): number[] {
  if (log.length < HEADER_BYTES) return []
  const frameBytes = FRAME_HEADER_BYTES + log.readUInt32BE(8)
  const salt = log.subarray(16, 24)
  const ends: number[] = []
  for (let at = HEADER_BYTES; at + frameBytes <= log.length; at += frameBytes) {
    if (!log.subarray(at + 8, at + 16).equals(salt)) break
    const pagesAfterCommit = log.readUInt32BE(at + 4)
    if (pagesAfterCommit > 0) ends.push(at + frameBytes)
  }
  return ends
}
