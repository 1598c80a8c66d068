import { expect, test } from '@jest/globals'
import { csvOf } from './csv.ts'

test('a cell is never a formula, and separators stay inside it', () => {
  const formulas = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1']
  for (const one of formulas) expect(csvOf([[one]])).toMatch(/^"?'/)
  expect(csvOf([['a,b', 'say "x"', 'two\nlines', -5, null, 'plain']])).toBe(
    '"a,b","say ""x""","two\nlines",-5,,plain\r\n',
  )
})
