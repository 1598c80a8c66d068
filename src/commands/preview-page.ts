import Handlebars from 'handlebars'
import type { ReaderMail } from '../actions/editions/preview.ts'
import { inMode, preheaderOf } from '../core/mail/as-shown.ts'
import type { Email } from '../core/mail/digest.ts'

/** A page with each kind of reader's email, on phone and desktop, light and dark. Works offline. */
export function previewPage(editionId: string, readers: readonly ReaderMail[]): string {
  return PAGE({
    title: `Edition ${editionId}`,
    lead: 'Each kind of reader, on phone and desktop, light and dark. Links to a reader’s own pages do nothing here.',
    mails: readers.map(({ reader, madeUp, email }) => ({
      id: reader,
      title: NAMES[reader],
      note:
        madeUp && reader !== 'typical'
          ? 'no one like this on the list would get an email, so this reader is made up'
          : '',
      ...inboxLine(email),
      frames: FRAMES.map((frame) => frameOf(email, frame)),
    })),
  })
}

/** A page with one email at desktop width, with its sender and subject, for screenshots. */
export function mailPage(email: Email): string {
  const frames = [{ title: email.subject, width: 700, html: email.html }]
  return PAGE({
    title: email.subject,
    lead: '',
    mails: [{ id: 'mail', title: '', note: '', ...inboxLine(email), frames }],
  })
}

const NAMES: Record<ReaderMail['reader'], string> = {
  typical: 'The typical reader',
  'most-topics': 'The most topics',
  'no-topics': 'No topics chosen (gets all)',
  'other-zone': 'Another time zone',
  discreet: 'Discreet',
  spanish: 'In Spanish',
  'after-pause': 'After a pause',
}

const FRAMES = [
  { title: 'Phone, light', width: 375, dark: false },
  { title: 'Phone, dark', width: 375, dark: true },
  { title: 'Desktop, light', width: 700, dark: false },
  { title: 'Desktop, dark', width: 700, dark: true },
]

function frameOf({ html }: Email, { title, width, dark }: (typeof FRAMES)[number]) {
  return { title, width, html: inMode(html, dark ? 'dark' : 'light') }
}

/** What an inbox shows of an email. */
function inboxLine({ from, subject, html }: Email) {
  return { from, subject, preheader: preheaderOf(html) }
}

const PAGE = Handlebars.compile(
  `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{title}}</title>
<style>
  :root { color-scheme: light dark; }
  body { margin: 0; padding: 2rem; font: 1rem/1.5 system-ui, sans-serif; background: light-dark(#eceae4, #101413); }
  h1 { margin: 0; font-size: 1.5rem; }
  h2 { margin: 0; font-size: 1.2rem; }
  section { margin-top: 2.5rem; }
  p { margin: 0.2rem 0; }
  .inbox { font-size: 0.9rem; opacity: 0.8; }
  .frames { display: flex; gap: 1.2rem; margin-top: 0.8rem; overflow-x: auto; align-items: flex-start; }
  figure { flex: none; margin: 0; }
  figcaption { font-size: 0.85rem; opacity: 0.8; }
  iframe { display: block; border: 1px solid #8888; border-radius: 12px; height: 900px; background: #fff; }
</style>
<h1>{{title}}</h1>
<p>{{lead}}</p>
{{#each mails}}
<section id="{{id}}">
  <h2>{{title}}</h2>
  {{#if note}}<p>{{note}}</p>{{/if}}
  <p class="inbox"><b>{{from}}</b> · {{subject}} · {{preheader}}</p>
  <div class="frames">
    {{#each frames}}
    <figure><iframe title="{{title}}" width="{{width}}" sandbox="allow-same-origin" srcdoc="{{html}}"></iframe><figcaption>{{title}}</figcaption></figure>
    {{/each}}
  </div>
</section>
{{/each}}
<script>
  // Makes each frame as high as its email. Without scripts, frames scroll.
  const fit = (frame) => { frame.style.height = frame.contentDocument.documentElement.scrollHeight + 2 + 'px' }
  for (const frame of document.querySelectorAll('iframe')) {
    frame.addEventListener('load', () => fit(frame))
    if (frame.contentDocument?.readyState === 'complete') fit(frame)
  }
</script>
</html>
`,
  { strict: true },
)
