import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import mjml2html from 'mjml'
import { type Offer, offersAt } from '../../src/core/sessions/offers.ts'
import { openSessions } from '../../src/db/sessions/sessions.ts'
import { openSqlite } from '../../src/db/sqlite/open.ts'
import { SLOT } from '../settings.ts'

/** What a peer would prepare at deployment or once a week. It is not part of the measured time. */
export type Prepared = {
  offers: Offer[]
  /** Handlebars for the HTML, compiled from MJML beforehand. */
  html: string
}

const [file = '', out = ''] = process.argv.slice(2)
const store = openSqlite(file)
const { sessions } = await openSessions(store, SLOT.at)
await store.close()
const source = readFileSync(join(import.meta.dirname, 'digest.mjml'), 'utf8')
const { html } = await mjml2html(source, { validationLevel: 'strict', fonts: {}, keepComments: false })
const offers = offersAt(sessions, SLOT.at)
const prepared: Prepared = { offers, html: html.replace(/^\s+/gm, '') }
writeFileSync(out, JSON.stringify(prepared))
