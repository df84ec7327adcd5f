import { initial } from 'halforder/lens'
import { Classifier as C } from 'halforder/network'
import { key } from 'halforder/random'

const description = { kind: 'classifier', features: 4, labels: 6, hidden: 4, blocks: 1 } as const
const classifier = { description, parameters: initial(C.classifier(description).parameters, key(0)) }

// the example
import { Classifier } from 'halforder/network'

// rows -> log p(the attribute in columns 3..5 has its second or third value)
const reward = Classifier.logProbability('log p(round or dark)', classifier, { offset: 3, width: 3 }, [1, 2])
// until here
export const made: unknown = reward
