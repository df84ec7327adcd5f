import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { json, yaml } from '../../../cli/edge/Documents.js'
import { isRecord, showError } from '../../../src/document/Document.js'
import { seconds } from '../../cost.js'

type Result = ReturnType<typeof yaml>

const said = (result: Result): string => (E.isLeft(result) ? showError(result.left) : 'accepted')

const most = 2 ** 15
/** A text that is repeated up to the longest that is read. */
const filled = (part: string, before = '', after = ''): string =>
  before + part.repeat(Math.floor((most - before.length - after.length) / part.length)) + after

describe('a document', () => {
  test.each([
    ['a: 1\nb: [x, 2]\n', { a: 1, b: ['x', 2] }],
    ['{"a": 1, "b": ["x", 2]}', { a: 1, b: ['x', 2] }],
    ['{a: 1, b: [x, 2]}', { a: 1, b: ['x', 2] }],
    ['', {}],
    ['# nothing\n', {}],
    ['a: &n 3\nb: *n\n', { a: 3, b: 3 }],
    ['date: 2001-01-01\nyes: yes\n', { date: '2001-01-01', yes: 'yes' }],
    // a directive does not bring other types
    ['%YAML 1.1\n---\ndate: 2001-01-01\n', { date: '2001-01-01' }]
  ])('%j', (text, value) => {
    expect(yaml(text)).toEqual(E.right(value))
  })

  test('has keys such as __proto__ as its own', () => {
    const read = yaml('__proto__: {a: 1}\n')
    expect(E.isRight(read) && isRecord(read.right) ? Object.keys(read.right) : []).toEqual(['__proto__'])
  })

  test.each([
    ['a: 1\na: 2', 'expected each field once, got "a" twice; remove one of them'],
    ['b: [{a: 1, "a": 2}]', 'expected each field once, got "a" twice; remove one of them'],
    ['{"a": 1, "a": 2}', 'expected each field once, got "a" twice; remove one of them'],
    ['a: &x [*x]', 'expected no value inside itself, got *x inside &x; write out what it stands for'],
    [
      'estimator: &x\n  name: rlr\n  h: *x\n',
      'expected no value inside itself, got *x inside &x; write out what it stands for'
    ],
    ['&x [1, {b: *x}]', 'expected no value inside itself, got *x inside &x; write out what it stands for'],
    ['a: *b', 'expected aliases of anchors above them, got *b; write out what they stand for'],
    [
      'a: 1\n---\nb: 2\n',
      'expected JSON or YAML, got Source contains multiple documents; please use YAML.parseAllDocuments() at line 2, column 1; correct it'
    ],
    ['a: [1\nb: 2', /^expected JSON or YAML, got .* at line 2, column 1; correct it$/],
    [`${'['.repeat(67)}${']'.repeat(67)} # a`, 'expected at most 64 levels of lists and groups, got more; flatten it']
  ])('%j is refused', (text, message) => {
    const got = said(yaml(text)).replace('the document: ', '')
    expect(typeof message === 'string' ? got === message || got : message.test(got) || got).toBe(true)
  })

  test('has up to 64 levels, in brackets or by keys', () => {
    expect(said(yaml(`${'['.repeat(64)}a${']'.repeat(64)} # a`))).toBe('accepted')
    expect(
      said(yaml(Array.from({ length: 64 }, (_, i) => `${' '.repeat(i)}a:\n`).join('') + `${' '.repeat(64)}b`))
    ).toBe('accepted')
  })

  test('references that multiply are refused', () => {
    const doubled = 'bcdefghi'.split('').map((c, i) => `${c}: &${c} [${`*${'abcdefghi'.charAt(i)},`.repeat(9)}]`)
    expect(said(yaml(`a: &a [x]\n${doubled.join('\n')}`))).toBe(
      'the document: expected at most 100 values by alias, got more; write out what they stand for'
    )
  })

  test('has a length', () => {
    expect(said(yaml(`a: ${'x'.repeat(most)}`))).toBe(
      'the document: expected at most 32768 characters of YAML, got 32771; write it as JSON, or leave out what is not needed'
    )
    expect(said(yaml(`{"a": "${'x'.repeat(most)}"}`))).toBe('accepted')
    expect(said(json(`{"a": "${'x'.repeat(2 ** 20)}"}`))).toBe(
      'the document: expected at most 1048576 characters of JSON, got 1048585; leave out what is not needed'
    )
    expect(said(json('a: 1'))).toMatch(/^the document: expected JSON, got/)
  })

  const deep = /at most 64 levels/
  const other = /expected JSON or YAML, got .* at line \d+, column \d+/
  test.each([
    ['explicit keys in one another', filled('? '), deep],
    ['lists in one another', filled('- '), deep],
    ['lists in one another, in brackets', filled('['), deep],
    ['groups in one another', filled('{a: '), deep],
    ['groups in one another, by keys', filled('a: '), deep],
    ['keys', Array.from({ length: 3000 }, (_, i) => `k${i}: 1\n`).join(''), /accepted/],
    ['one key', filled('a: 1\n'), /each field once/],
    ['items', filled('- 1\n'), /accepted/],
    ['aliases', filled('- *a\n', 'a: &a 1\nb:\n'), /at most 100 values by alias/],
    ['commas', filled(',', '['), other],
    ['commas in a group', filled(',', '{'), other],
    ['brackets', filled('[]'), other],
    ['closing brackets', filled(']'), other],
    ['braces', filled('{}'), other],
    ['quotes', filled('"'), other],
    ['tags', filled('!a '), other],
    ['anchors', filled('&a ', 'a: '), other],
    ['anchors and dashes', filled('&a - '), other],
    ['directives', filled('%YAML 1.1\n'), other],
    ['digits', filled('1', 'a: '), /accepted/],
    ['blank lines', filled('\n'), /accepted/],
    ['documents', filled('---\na\n'), other]
  ])('of thousands of %s takes less than a second', (_, text, message) => {
    let got = ''
    expect(seconds(() => (got = said(yaml(text))))).toBeLessThan(1)
    expect(got).toMatch(message)
  })
})
