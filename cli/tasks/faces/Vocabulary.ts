/**
 * The vocabulary of the face images: which attributes a face has, which values each can take and how often.
 *
 * A face is 16 x 16 RGB pixels of pixel art that is drawn from its attributes and from nothing else, so the labels are
 * exact: no annotator and no noise. The words are here; `src/cli/FaceRenderer.ts` draws them.
 *
 * @since 0.1.0
 */

/**
 * One value of an attribute: its name and the probability with which it is drawn.
 *
 * @category model
 * @since 0.1.0
 */
export interface Value {
  readonly name: string
  readonly probability: number
}

/**
 * Every attribute with its values. The order of attributes and of values is the order of the one-hot code, and
 * the probabilities of each attribute sum to one. Attributes are independent.
 *
 * @category model
 * @since 0.1.0
 */
export const vocabulary = {
  skin: [
    { name: 'pale', probability: 0.2 },
    { name: 'light', probability: 0.2 },
    { name: 'tan', probability: 0.2 },
    { name: 'brown', probability: 0.2 },
    { name: 'dark', probability: 0.2 }
  ],
  hair: [
    { name: 'balding', probability: 0.125 },
    { name: 'short', probability: 0.125 },
    { name: 'mohawk', probability: 0.125 },
    { name: 'curly', probability: 0.125 },
    { name: 'bob', probability: 0.125 },
    { name: 'long', probability: 0.125 },
    { name: 'buns', probability: 0.125 },
    { name: 'pigtails', probability: 0.125 }
  ],
  hairColor: [
    { name: 'black', probability: 0.2 },
    { name: 'brown', probability: 0.2 },
    { name: 'blond', probability: 0.2 },
    { name: 'ginger', probability: 0.15 },
    { name: 'grey', probability: 0.15 },
    { name: 'blue', probability: 0.1 }
  ],
  glasses: [
    { name: 'none', probability: 0.7 },
    { name: 'round', probability: 0.2 },
    { name: 'dark', probability: 0.1 }
  ],
  hat: [
    { name: 'none', probability: 0.75 },
    { name: 'red beanie', probability: 0.1 },
    { name: 'black top hat', probability: 0.05 },
    { name: 'green cap', probability: 0.1 }
  ],
  beard: [
    { name: 'none', probability: 0.8 },
    { name: 'full', probability: 0.2 }
  ],
  mouth: [
    { name: 'happy', probability: 0.5 },
    { name: 'sad', probability: 0.5 }
  ],
  clothing: [
    { name: 'red', probability: 0.25 },
    { name: 'blue', probability: 0.25 },
    { name: 'green', probability: 0.25 },
    { name: 'yellow', probability: 0.25 }
  ]
} as const satisfies Readonly<Record<string, ReadonlyArray<Value>>>

/**
 * The name of an attribute.
 *
 * @category model
 * @since 0.1.0
 */
export type AttributeName = keyof typeof vocabulary

/**
 * The names of the values of the attribute `A`.
 *
 * @category model
 * @since 0.1.0
 */
export type ValueName<A extends AttributeName> = (typeof vocabulary)[A][number]['name']

/**
 * A face: one value for each attribute. Hair under a hat is labelled although the hat covers part of it.
 *
 * @category model
 * @since 0.1.0
 */
export type Attributes = { readonly [A in AttributeName]: ValueName<A> }

/**
 * The attributes in the order of the one-hot code.
 *
 * @category model
 * @since 0.1.0
 */
export const attributeNames: ReadonlyArray<AttributeName> = [
  'skin',
  'hair',
  'hairColor',
  'glasses',
  'hat',
  'beard',
  'mouth',
  'clothing'
]
