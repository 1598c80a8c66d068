import type { Mutant } from './points.ts'

/** A mutant that no test can notice, or need not. `source` is a piece of the line it starts on. */
type Argued = { file: string; source: string; change: string; reason: string }

const ARGUED: Argued[] = []

/** Why nothing noticing this mutant is in order; undefined if nobody has argued that. */
export function reasonFor(mutant: Pick<Mutant, 'file' | 'source' | 'change'>): string | undefined {
  return ARGUED.find(
    ({ file, source, change }) =>
      mutant.file === file && mutant.change === change && mutant.source.includes(source),
  )?.reason
}
