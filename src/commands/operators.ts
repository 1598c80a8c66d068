import type { Command } from 'commander'
import { BadInput } from '../core/errors.ts'
import { ROLES, type Role } from '../core/operators/actor.ts'
import { addressGiven } from './address-given.ts'
import { counted, table, when } from './layout.ts'
import { command, type Terminal } from './terminal.ts'

type Json = { json?: boolean }

/** Adds `operator link|list|remove`. */
export function addOperators(openseat: Command, terminal: Terminal): void {
  const operator = openseat
    .command('operator')
    .description('who may sign in to the operators’ pages')
    .addHelpText('after', '\nExample:\n  $ openseat operator link mira@your-practice.org --role owner')
  operator
    .command('link')
    .argument('<email>', 'whose link it is; - reads stdin')
    .option(
      '--role <role>',
      'owner, operator or editor; a new one is operator, and one who is known keeps theirs',
    )
    .description('make a link that lets someone choose how to sign in')
    .option('--json', 'print one JSON document on stdout')
    .action(
      command(terminal, (email: string, options: Json & { role?: string }) => link(terminal, email, options)),
    )
    .addHelpText('after', LINK_NOTES)
  operator
    .command('list')
    .description('show who may sign in')
    .option('--json', 'print one JSON document on stdout')
    .action(command(terminal, (options: Json) => list(terminal, options)))
    .addHelpText('after', '\nExample:\n  $ openseat operator list')
  operator
    .command('remove')
    .argument('<email>', 'who may not sign in any more; - reads stdin')
    .description('take away someone’s way in, and end their sign-ins')
    .option('--json', 'print one JSON document on stdout')
    .action(command(terminal, (email: string, options: Json) => remove(terminal, email, options)))
    .addHelpText('after', '\nExample:\n  $ openseat operator remove sam@your-practice.org')
}

const LINK_NOTES = `
The link works once, for 30 minutes. It invites someone new, and replaces a lost
phone or password: what is chosen with it replaces what they had. An owner may do
everything; an operator everything but people, exports and erasing; an editor keeps
the times and never sees who reads about them.

Example:
  $ openseat operator link mira@your-practice.org --role owner`

async function link(
  terminal: Terminal,
  given: string,
  options: Json & { role?: string },
): Promise<undefined> {
  const role = roleIn(options.role)
  const email = await addressGiven(terminal, given)
  const { makeEntryLink } = await import('../actions/operators/entry-links.ts')
  const made = await terminal.withInstallation((installation) => makeEntryLink(installation, { email, role }))
  if (made.kind === 'bad-address') throw new BadInput(`EMAIL ${made.problem}`)
  if (made.kind === 'last-owner')
    throw new BadInput('that is the only owner; make someone else an owner first, with --role owner')
  const document = { url: made.url, expires: made.expires.toISOString() }
  terminal.show(
    options,
    document,
    `${made.url}\n\nGive it to them in any way you trust. It works once, for 30 minutes, and makes them an ${made.role}.`,
  )
  return undefined
}

async function list(terminal: Terminal, options: Json): Promise<undefined> {
  const { listOperators } = await import('../actions/operators/people.ts')
  const { people, timeZone } = await terminal.withInstallation(async (installation) => ({
    people: await listOperators(installation),
    timeZone: installation.config.slotRule.timeZone,
  }))
  const document = people.map(({ seenAt, createdAt, ...one }) => ({
    ...one,
    createdAt: new Date(createdAt).toISOString(),
    seenAt: seenAt === null ? null : new Date(seenAt).toISOString(),
  }))
  const rows = people.map(({ email, role, passkeys, hasPassword, seenAt }) => [
    email,
    role,
    [passkeys > 0 && counted(passkeys, 'passkey'), hasPassword && 'password'].filter(Boolean).join(', ') ||
      'not yet',
    seenAt === null ? 'not signed in' : when(new Date(seenAt), timeZone),
  ])
  const none = 'Nobody may sign in yet. "openseat operator link EMAIL --role owner" lets someone in.'
  terminal.show(
    options,
    document,
    rows.length > 0 ? table([['email', 'role', 'signs in by', 'last seen'], ...rows]) : none,
  )
  return undefined
}

async function remove(terminal: Terminal, given: string, options: Json): Promise<undefined> {
  const email = await addressGiven(terminal, given)
  const { removeOperatorAt } = await import('../actions/operators/people.ts')
  const outcome = await terminal.withInstallation((installation) => removeOperatorAt(installation, email))
  if (outcome === 'unknown')
    throw new BadInput('nobody with that address may sign in; see "openseat operator list"')
  if (outcome === 'refused') throw new BadInput('that is the only owner; make someone else an owner first')
  terminal.show(options, { removed: true }, 'They cannot sign in any more.')
  return undefined
}

function roleIn(given: string | undefined): Role | null {
  if (given === undefined) return null
  const role = ROLES.find((one) => one === given)
  if (role === undefined)
    throw new BadInput(`--role is ${JSON.stringify(given)}; write owner, operator or editor`)
  return role
}
