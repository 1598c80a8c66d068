/** The result of one gate for one email. It passed if there are no `faults`. */
export type Finding = { gate: string; mail: string; figure: number; limit: number; faults: string[] }

/** A finding that counts faults; it passes without any. */
export function counted(gate: string, mail: string, faults: readonly string[]): Finding {
  return { gate, mail, figure: faults.length, limit: 0, faults: [...faults] }
}

/** A finding that measures; `says` is the fault if `figure` is above `limit`. */
export function measured(
  gate: string,
  mail: string,
  { figure, limit, says }: { figure: number; limit: number; says: string },
): Finding {
  return { gate, mail, figure, limit, faults: figure > limit ? [says] : [] }
}
