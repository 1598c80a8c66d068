import { expect, test } from '@jest/globals'
import { expectFacts } from './expect.ts'

test('what to expect may name the practice, where it is written to, and its phone', () => {
  const practice = 'Harbor Groups'
  expect(
    expectFacts({ practice, MAIL_REPLY_TO: 'hello@sample.test', PRACTICE_PHONE: '(207) 555-0134' }),
  ).toEqual({ practice, replyTo: 'hello@sample.test', phone: '(207) 555-0134' })
  expect(expectFacts({ practice })).toEqual({ practice, replyTo: '', phone: '' })
})
