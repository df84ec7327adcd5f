/**
 * The words in which a face can be asked for, and what each of them says.
 *
 * A statement is a set of allowed values of one slot: `glasses` says that the glasses are round or dark, `smiling` that the
 * mouth is happy. Slots are the attributes of a face and, for clips, its motion.
 *
 * @since 0.1.0
 */
import { attributeNames, type AttributeName, vocabulary } from '../Vocabulary.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a word can be about.
 *
 * @category model
 * @since 0.1.0
 */
export type Slot = AttributeName | 'motion'

/**
 * The motions of a clip, in the order of their one-hot code.
 *
 * @category model
 * @since 0.1.0
 */
export const motions = ['blink', 'smile', 'move'] as const

/**
 * The slots in the order of their code: the attributes, then the motion.
 *
 * @category model
 * @since 0.1.0
 */
export const slots: ReadonlyArray<Slot> = [...attributeNames, 'motion']

/**
 * The values of a slot, in the order of their code.
 *
 * @category model
 * @since 0.1.0
 */
export const valuesOf = (slot: Slot): ReadonlyArray<string> =>
  slot === 'motion' ? motions : vocabulary[slot].map(({ name }) => name)

/**
 * That a slot has one of some values.
 *
 * @category model
 * @since 0.1.0
 */
export interface Statement {
  readonly slot: Slot
  readonly values: ReadonlyArray<string>
}

/**
 * A word that others can describe: what it says by itself, and what each adjective before it says.
 *
 * @category model
 * @since 0.1.0
 */
export interface Noun {
  readonly says: ReadonlyArray<Statement>
  readonly adjectives: Readonly<Record<string, Statement>>
}

const is = (slot: Slot, ...values: ReadonlyArray<string>): Statement => ({ slot, values })

const some = (slot: Slot): Statement => ({ slot, values: valuesOf(slot).filter((name) => name !== 'none') })

// -------------------------------------------------------------------------------------
// adjectives
// -------------------------------------------------------------------------------------

const skin = {
  pale: is('skin', 'pale'),
  white: is('skin', 'pale'),
  light: is('skin', 'light'),
  fair: is('skin', 'light'),
  tan: is('skin', 'tan'),
  tanned: is('skin', 'tan'),
  brown: is('skin', 'brown'),
  dark: is('skin', 'dark')
} as const

const hairColor = {
  black: is('hairColor', 'black'),
  brown: is('hairColor', 'brown'),
  blond: is('hairColor', 'blond'),
  blonde: is('hairColor', 'blond'),
  ginger: is('hairColor', 'ginger'),
  red: is('hairColor', 'ginger'),
  grey: is('hairColor', 'grey'),
  gray: is('hairColor', 'grey'),
  blue: is('hairColor', 'blue')
} as const

const hair = {
  ...hairColor,
  balding: is('hair', 'balding'),
  thinning: is('hair', 'balding'),
  short: is('hair', 'short'),
  mohawk: is('hair', 'mohawk'),
  curly: is('hair', 'curly'),
  bob: is('hair', 'bob'),
  bobbed: is('hair', 'bob'),
  long: is('hair', 'long'),
  buns: is('hair', 'buns'),
  pigtails: is('hair', 'pigtails')
} as const

const mouth = {
  happy: is('mouth', 'happy'),
  smiling: is('mouth', 'happy'),
  cheerful: is('mouth', 'happy'),
  sad: is('mouth', 'sad'),
  frowning: is('mouth', 'sad'),
  unhappy: is('mouth', 'sad')
} as const

const motion = {
  blinking: is('motion', 'blink'),
  moving: is('motion', 'move')
} as const

const face = {
  ...skin,
  ...mouth,
  ...motion,
  blond: hairColor.blond,
  blonde: hairColor.blond,
  balding: hair.balding,
  bald: hair.balding,
  bearded: some('beard'),
  shaven: is('beard', 'none'),
  beardless: is('beard', 'none'),
  hatless: is('hat', 'none')
} as const

const hat = {
  red: is('hat', 'red beanie'),
  black: is('hat', 'black top hat'),
  green: is('hat', 'green cap')
} as const

const clothing = {
  red: is('clothing', 'red'),
  blue: is('clothing', 'blue'),
  green: is('clothing', 'green'),
  yellow: is('clothing', 'yellow')
} as const

// -------------------------------------------------------------------------------------
// words
// -------------------------------------------------------------------------------------

const noun = (adjectives: Noun['adjectives'], ...says: ReadonlyArray<Statement>): Noun => ({ adjectives, says })

const glasses = noun({ round: is('glasses', 'round'), dark: is('glasses', 'dark') }, some('glasses'))
const clothes = noun(clothing)
const person = noun(face)

/**
 * What can be described.
 *
 * @category constants
 * @since 0.1.0
 */
export const nouns: Readonly<Record<string, Noun>> = {
  face: person,
  person,
  head: person,
  skin: noun(skin),
  hair: noun(hair),
  mohawk: noun(hairColor, hair.mohawk),
  bob: noun(hairColor, hair.bob),
  buns: noun(hairColor, hair.buns),
  pigtails: noun(hairColor, hair.pigtails),
  curls: noun(hairColor, hair.curly),
  glasses,
  spectacles: glasses,
  sunglasses: noun({ dark: is('glasses', 'dark') }, is('glasses', 'dark')),
  hat: noun(hat, some('hat')),
  beanie: noun({ red: hat.red }, hat.red),
  'top hat': noun({ black: hat.black }, hat.black),
  cap: noun({ green: hat.green }, hat.green),
  beard: noun({ full: is('beard', 'full') }, some('beard')),
  mouth: noun(mouth),
  smile: noun({}, mouth.happy),
  frown: noun({}, mouth.sad),
  clothes,
  clothing: clothes,
  shirt: clothes,
  sweater: clothes
}

/**
 * What a face that is described does or is: words that stand after it by themselves, as in "a face that smiles".
 *
 * @category constants
 * @since 0.1.0
 */
export const predicates: Readonly<Record<string, Statement>> = {
  ...mouth,
  ...motion,
  smiles: mouth.happy,
  frowns: mouth.sad,
  blinks: motion.blinking,
  moves: motion.moving,
  bald: face.bald,
  bearded: face.bearded,
  shaven: face.shaven,
  beardless: face.beardless,
  hatless: face.hatless
}

/**
 * What can follow "starts to": the motions.
 *
 * @category constants
 * @since 0.1.0
 */
export const beginnings: Readonly<Record<string, Statement>> = {
  smile: is('motion', 'smile'),
  smiling: is('motion', 'smile'),
  blink: motion.blinking,
  blinking: motion.blinking,
  move: motion.moving,
  moving: motion.moving
}

/**
 * Words of grammar. `starts` make the next verb a motion. `denials` deny the next noun and those joined to it by "or";
 * `lacks` deny all nouns up to a word of `opens`. `links` join without saying anything.
 *
 * @category constants
 * @since 0.1.0
 */
export const grammar = {
  starts: ['starts', 'start', 'starting', 'begins', 'begin', 'beginning'],
  denials: ['no', 'not'],
  lacks: ['without'],
  opens: ['with', 'in', 'wearing', 'has', 'having', 'wears', 'that', 'who', 'which', 'is'],
  joins: ['and', ','],
  alternatives: ['or', 'nor'],
  links: ['a', 'an', 'the', 'to', 'any', 'some', 'of', 'pair', 'portrait', 'picture', 'clean']
} as const

/**
 * Every word that is understood.
 *
 * @category constants
 * @since 0.1.0
 */
export const knownWords: ReadonlyArray<string> = [
  ...new Set([
    ...Object.keys(nouns),
    ...Object.values(nouns).flatMap(({ adjectives }) => Object.keys(adjectives)),
    ...Object.keys(predicates),
    ...Object.keys(beginnings),
    ...Object.values(grammar)
      .flat()
      .filter((word) => word !== ',')
  ])
].sort()
