import { type Translator, translatorFor } from '../core/words/words.ts'
import { loadCatalogs } from './catalogs.ts'
import type { OperatorKey } from './operator.ts'

/** Writes for operators outside their pages: in emails to them, in commands, in `doctor`. */
export async function operatorWords({
  folder,
  locale,
}: {
  folder: string | undefined
  locale: string
}): Promise<Translator<OperatorKey>> {
  return translatorFor(await loadCatalogs<OperatorKey>(folder, 'operator/words'), locale)
}
