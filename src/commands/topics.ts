import type { Command } from 'commander'
import { BadInput } from '../core/errors.ts'
import { languageMeant } from '../core/intake/languages.ts'
import { table } from './layout.ts'
import { command, type Terminal } from './terminal.ts'

type Json = { json?: boolean }
type Names = Record<string, string>

/** Adds `sessions topics|add-topic`. */
export function addTopicCommands(sessions: Command, terminal: Terminal): void {
  sessions
    .command('topics')
    .description('show the topics that groups are about and readers choose by')
    .option('--json', 'print one JSON document on stdout')
    .action(command(terminal, (options: Json) => listTopics(terminal, options)))
    .addHelpText('after', '\nExample:\n  $ openseat sessions topics')
  sessions
    .command('add-topic')
    .argument('<slug>', 'how files name it: small letters, digits and hyphens')
    .argument('<name>', 'how readers see it')
    .description('add a topic, or with --name change what one is called')
    .option('--name <language=name>', 'its name in another language; repeatable', withName, {})
    .option('--json', 'print one JSON document on stdout')
    .action(
      command(terminal, (slug: string, name: string, options: Json & { name: Names }) =>
        newTopic(terminal, slug, name, options),
      ),
    )
    .addHelpText('after', NOTES)
}

const NOTES = `
With --name, a topic that exists gets this name and these names in other languages;
the names it has in still others stay, and an empty one (es=) is removed.

Examples:
  $ openseat sessions add-topic eating-disorders "Eating disorders" \\
      --name "es=Trastornos de la conducta alimentaria"`

function withName(written: string, names: Names): Names {
  const [, tag = '', name] = /^([^=]*)=(.*)$/s.exec(written) ?? []
  const language = name === undefined ? null : languageMeant(tag.trim())
  if (name === undefined || language === null)
    throw new BadInput(`--name is ${JSON.stringify(written)}; write a language and a name, like es=Ansiedad`)
  return { ...names, [language]: nameIn(name, `--name ${tag.trim()}=`, { optional: true }) }
}

function nameIn(written: string, what: string, { optional = false } = {}): string {
  const name = written.trim()
  if ((name === '' && !optional) || name.length > 80 || /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(name))
    throw new BadInput(`${what} needs 1 to 80 characters on one line; for example "Eating disorders"`)
  return name
}

async function listTopics(terminal: Terminal, options: Json): Promise<undefined> {
  const { allTopics } = await import('../db/sessions/sessions.ts')
  const topics = await terminal.withInstallation(({ store }) => allTopics(store))
  const documents = topics.map(({ slug, name, names }) => ({ slug, name, names }))
  const rows = topics.map(({ slug, name, names }) => [slug, name, inLanguages(names)])
  terminal.show(options, documents, table([['SLUG', 'NAME', 'IN OTHER LANGUAGES'], ...rows]))
}

const inLanguages = (names: Readonly<Names>): string =>
  Object.entries(names)
    .map(([language, name]) => `${language}: ${name}`)
    .join(', ') || '-'

async function newTopic(
  terminal: Terminal,
  slug: string,
  written: string,
  options: Json & { name: Names },
): Promise<number> {
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(slug) || slug.length > 80)
    throw new BadInput(
      'SLUG: use lowercase letters, digits, and single hyphens, at most 80; for example eating-disorders',
    )
  const topic = { slug, name: nameIn(written, 'NAME'), names: options.name }
  const { putTopic } = await import('../db/sessions/topics.ts')
  const put = await terminal.withInstallation(({ store, now }) => putTopic(store, topic, now()))
  if (put === null) {
    terminal.note(`The topic ${slug} already exists. To see all: openseat sessions topics`)
    return 1
  }
  const { added, names } = put
  const called = [
    topic.name,
    ...Object.entries(names).map(([language, name]) => `${language}: ${name}`),
  ].join(', ')
  terminal.show(
    options,
    { slug, name: topic.name, names },
    added ? `Added the topic ${slug}.` : `The topic ${slug} is now called ${called}.`,
  )
  return 0
}
