import type { Results } from '../results.ts'
import { whole } from './tables.ts'

/** How it was measured, and what was not measured. */
export function methodSection({ plan }: Results): string {
  const { rounds, recorded, slow, smtp } = plan.peers
  return `## What was measured

- Each contender is a process of its own with \`NODE_ENV=production\`. They took turns for ${rounds} round(s), and medians count. CPU is user
  and system time of that process, including its garbage collector and compiler threads, but without the sink, Redis, and the
  kernel's disk work. Peak memory is the highest resident set since the process started, including everything it loads. Compiled
  code is cached between runs, as \`start\` does, so Node's TypeScript compiler is in none of them.
- **Openseat**: the command \`edition send --wait\`, with a private Redis over a socket and a SQLite file in WAL mode with \`synchronous=FULL\`; from the
  start of the process to its exit, planning and the processes that it started included. The list: 15 sessions in five topics, ten time zones, three choices of topics, names.
  \`RESEND_REQUESTS_PER_SECOND\` is 1000, so that nothing waits for the limit. Log lines are formatted, then dropped.
- **Ceiling**: ${recorded} batches that the pipeline had submitted, parsed to objects beforehand, then posted again and again with
  \`resend.batch.send\`, permissive, each with a new idempotency key, and as many at a time as the worker has in flight (6). No
  database, queue, or rendering: what remains is the SDK, which turns the emails into JSON for each request.
- **The peers** are written as well as we can, with a digest of about the same words and size. All compile the template and read
  the sessions once, build the words of a page once for all readers with the same zone and topics, use prepared statements and
  \`synchronous=NORMAL\`, and mark each reader when their email is accepted. Jobs are added in bulk, 20 run at a time in one
  process, and each email has an idempotency key.
  - *Textbook worker*: ${whole(slow)} emails, MJML with its defaults, as in guides, and again with its checks turned off.
  - *react-email worker*: ${whole(slow)} emails, the same words from React components; the text is the precompiled one, not made from the HTML.
  - *nodemailer*: ${whole(smtp)} emails over ten SMTP connections that stay open, both bodies from precompiled Handlebars, in base64, which takes
    less CPU than quoted-printable. No queue, and no idempotency: SMTP has none.
- **Sinks** (\`sink.ts\`, \`smtp-sink.ts\`): their own processes, over loopback. They count emails and do as little else as possible. The strict
  stand-in of the tests parses and hashes every body; it is used at the limit and for the kills, where speed is not measured.
- **Growth**: each list is imported from a CSV file, planned and submitted in full. Time and CPU per subscriber cover all three. A short list
  includes the warm-up of the program, so its emails cost more than in a long run.

## What was not

- Resend. It allows ten requests a second by default, so at most 1,000 emails a second. Anything above that is headroom, not speed.
- Network, TLS, and slow answers.
- Other disks: one commit per batch waits for the disk; the ceiling has none.`
}
