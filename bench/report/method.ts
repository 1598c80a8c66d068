import type { Results } from '../results.ts'
import { whole } from './tables.ts'

/** How it was measured, and what was not. */
export function methodSection({ plan }: Results): string {
  const { rounds, recorded, slow, smtp } = plan.peers
  return `## What was measured

- Each contender is one process of its own with \`NODE_ENV=production\`; they ran in turns, ${rounds} round(s), and medians count. CPU is user and
  system time of that process alone, with its collector and compiler threads; the sink, Redis and the kernel's share of the disk
  are not in it. Peak memory is the highest resident set since the program began, so with all it loads. Compiled code is kept between
  runs, as \`start\` does, so that Node's TypeScript compiler is in none of them.
- **Openseat**: the command \`edition send --wait\`, with a private Redis over a socket and a SQLite file in WAL mode with \`synchronous=FULL\`; from the
  first line of planning to its summary. The list: 15 sessions in five topics, ten time zones, three choices of topics, names.
  \`RESEND_REQUESTS_PER_SECOND\` is 1000, so that no limit waits; log lines are made, then dropped.
- **Ceiling**: ${recorded} batches that the pipeline itself had submitted, parsed to objects beforehand, posted over and over with
  \`resend.batch.send\`, permissive, each under a new idempotency key, as many at once as the worker has in flight (6). No database, no
  queue, no rendering: what is left is the SDK, which makes JSON of the mails again for each request.
- **The peers** are written as well as we can, with a digest of about the same words and size. All get the template compiled, the sessions read and the words of a page made once for
  all readers of the same zone and choice, prepared statements, \`synchronous=NORMAL\`, and mark each reader when their mail is accepted.
  Jobs are added in bulk, 20 work at once in one process, and each mail goes out under an idempotency key.
  - *Textbook worker*: ${whole(slow)} mails, MJML with its own defaults as guides call it, and once more with its checks turned off.
  - *react-email worker*: ${whole(slow)} mails, the same words from React components; the text is the precompiled one, not made from the HTML.
  - *nodemailer*: ${whole(smtp)} mails over ten SMTP connections that stay open, both bodies from precompiled Handlebars, in base64, which costs less
    CPU than quoted-printable. No queue, and no
    idempotency: SMTP has none.
- **Sinks** (\`sink.ts\`, \`smtp-sink.ts\`): their own processes, over loopback. They count mails and do as little else as they can. The strict
  stand-in of the tests, which parses and hashes every body, is used at the limit and for the kills, where no speed is told.
- **Growth**: each list is imported from a CSV file, planned and submitted in full. Time and CPU per subscriber are those of all three. A short list
  pays for the warming up of the program, so its mails are dearer than they would be in a long run.

## What was not

- Resend. It allows ten requests a second by default, so 1,000 mails a second at most: any number above is room to spare, not speed.
- Network, TLS, and answers that take time.
- Other disks: one commit a batch waits for the disk, in the ceiling none.`
}
