/** What a gate measured of one mail, and in `faults` what is wrong, in words; without faults it has passed. */
export type Finding = { gate: string; mail: string; figure: number; limit: number; faults: string[] }

/** A finding that counts faults, of which there must be none. */
export function counted(gate: string, mail: string, faults: readonly string[]): Finding {
  return { gate, mail, figure: faults.length, limit: 0, faults: [...faults] }
}

/** A finding that measures; `says` is the fault when `figure` is over `limit`. */
export function measured(
  gate: string,
  mail: string,
  { figure, limit, says }: { figure: number; limit: number; says: string },
): Finding {
  return { gate, mail, figure, limit, faults: figure > limit ? [says] : [] }
}
