import { approveEdition, type ComingOutcome, holdEdition } from '../actions/editions/coming.ts'
import type { Installation } from '../app.ts'
import { BadInput } from '../core/errors.ts'
import { comingDocument, comingText } from './coming-text.ts'
import { editionId, noSuchEdition, type Terminal } from './terminal.ts'

type Json = { json?: boolean }

/** `edition approve`: lets a coming edition go. Returns the exit code. */
export async function approve(terminal: Terminal, text: string, options: Json): Promise<number> {
  const id = editionId(text)
  return terminal.withWaker(async (app) => answer(terminal, app, options, await approveEdition(app, id)))
}

/** `edition hold`: keeps a coming edition from going out. Returns the exit code. */
export async function hold(terminal: Terminal, text: string, options: Json): Promise<number> {
  const id = editionId(text)
  return terminal.withInstallation(async (app) => answer(terminal, app, options, await holdEdition(app, id)))
}

/** `edition show` of an edition that is not in the ledger. Throws `BadInput` if it is not the coming one either. */
export async function showComing(
  terminal: Terminal,
  installation: Installation,
  id: string,
  options: Json,
): Promise<undefined> {
  const document = await comingDocument(installation)
  if (document.id !== id) throw noSuchEdition(id)
  terminal.show(options, document, await comingText(installation))
}

async function answer(
  terminal: Terminal,
  installation: Installation,
  options: Json,
  outcome: ComingOutcome,
): Promise<number> {
  if (outcome.kind === 'not-coming') throw new BadInput(outcome.reason)
  if (outcome.kind !== 'done') {
    terminal.note(`Not done: ${outcome.reason}.`)
    return 1
  }
  terminal.show(options, await comingDocument(installation), await comingText(installation))
  return 0
}
