/**
 * How the plane is drawn: data and the light of a reward, the ways of samples from noise, samples where they are. What is the same in
 * the next frame is drawn once and kept, so that a frame costs its points alone.
 */
import type { Pair } from '../../../cli/tasks/points/Points.js'
import { reach } from './Design.js'
import type { Frame } from './Engine.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/** What is drawn: samples at a `time` of their way, from 0 to the number of their steps. `theme` says which colours. */
export interface Scene {
  readonly data: ArrayLike<number>
  readonly goal: Pair | undefined
  readonly frame: Frame | undefined
  readonly time: number
  readonly stroke: ReadonlyArray<Pair>
  readonly theme: string
}

/** How many samples leave a line. */
const lines = 60

type Context = CanvasRenderingContext2D
type Draw = (context: Context) => void

// -------------------------------------------------------------------------------------
// layers
// -------------------------------------------------------------------------------------

/** A picture that is drawn again when what it is of has changed. */
type Layer = (of: ReadonlyArray<unknown>, draw: Draw) => HTMLCanvasElement

const layer = (): Layer => {
  const canvas = document.createElement('canvas')
  let before: ReadonlyArray<unknown> = []
  return (of, draw) => {
    const context = canvas.getContext('2d')
    if (context !== null && (of.length !== before.length || of.some((one, i) => one !== before[i]))) {
      const [size] = of
      canvas.width = Number(size)
      canvas.height = Number(size)
      draw(context)
      before = of
    }
    return canvas
  }
}

// -------------------------------------------------------------------------------------
// painter
// -------------------------------------------------------------------------------------

/** Draws scenes on a canvas, whose style has the colours. */
export const painter = (canvas: HTMLCanvasElement): ((scene: Scene) => void) => {
  const [ground, trails] = [layer(), layer()]
  let colours: { readonly theme: string; readonly of: (name: string) => string } | undefined
  const colour = (theme: string): ((name: string) => string) => {
    if (colours?.theme !== theme) {
      const style = getComputedStyle(canvas)
      const known = new Map<string, string>()
      colours = {
        theme,
        of: (name) => {
          const found = known.get(name) ?? style.getPropertyValue(name).trim()
          known.set(name, found)
          return found
        }
      }
    }
    return colours.of
  }
  return ({ data, goal, frame, time, stroke, theme }) => {
    const context = canvas.getContext('2d')
    if (context === null) return
    const wanted = Math.round(canvas.clientWidth * devicePixelRatio)
    if (wanted > 0 && canvas.width !== wanted) {
      canvas.width = wanted
      canvas.height = wanted
    }
    const size = canvas.width
    const of = colour(theme)
    const unit = Math.max(1, size / 320)
    const scale = size / (2 * reach)
    const x = (v: number): number => (v + reach) * scale
    const y = (v: number): number => (reach - v) * scale
    const dots = (on: Context, points: ArrayLike<number>, radius: number): void => {
      on.beginPath()
      for (let i = 0; i + 1 < points.length; i += 2) {
        const [px, py] = [x(points[i] ?? 0), y(points[i + 1] ?? 0)]
        on.moveTo(px + radius, py)
        on.arc(px, py, radius, 0, 2 * Math.PI)
      }
      on.fill()
    }
    const [gx, gy] = goal ?? [undefined, undefined]
    const still = ground([size, theme, gx, gy, data], (on) => {
      if (gx !== undefined && gy !== undefined) {
        const light = on.createRadialGradient(x(gx), y(gy), 0, x(gx), y(gy), 0.6 * size)
        light.addColorStop(0, of('--glow'))
        light.addColorStop(1, 'transparent')
        on.fillStyle = light
        on.fillRect(0, 0, size, size)
      }
      on.fillStyle = of('--data')
      dots(on, data, 1.3 * unit)
    })
    context.clearRect(0, 0, size, size)
    if (frame === undefined) context.drawImage(still, 0, 0)
    else {
      const { states } = frame
      const from = Math.min(Math.floor(time), states.length - 1)
      const part = time - from
      const [here, next] = [states[from], states[Math.min(from + 1, states.length - 1)]]
      const where = (i: number): number => (1 - part) * (here?.[i] ?? 0) + part * (next?.[i] ?? 0)
      const line = (on: Context): void => {
        on.strokeStyle = of('--path')
        on.lineWidth = 0.7 * unit
        on.beginPath()
      }
      context.drawImage(
        trails([size, theme, gx, gy, data, frame, from], (on) => {
          on.drawImage(still, 0, 0)
          line(on)
          for (let point = 0; point < lines; point++) {
            for (let t = 0; t <= from; t++) {
              const [px, py] = [x(states[t]?.[2 * point] ?? 0), y(states[t]?.[2 * point + 1] ?? 0)]
              if (t === 0) on.moveTo(px, py)
              else on.lineTo(px, py)
            }
          }
          on.stroke()
        }),
        0,
        0
      )
      line(context)
      for (let point = 0; point < lines; point++) {
        context.moveTo(x(here?.[2 * point] ?? 0), y(here?.[2 * point + 1] ?? 0))
        context.lineTo(x(where(2 * point)), y(where(2 * point + 1)))
      }
      context.stroke()
      context.fillStyle = of('--point')
      dots(
        context,
        Float32Array.from({ length: here?.length ?? 0 }, (_, i) => where(i)),
        2 * unit
      )
    }
    context.fillStyle = of('--point')
    dots(context, stroke.flat(), 3 * unit)
    if (gx !== undefined && gy !== undefined) {
      const [px, py, r] = [x(gx), y(gy), 7 * unit]
      context.strokeStyle = of('--goal')
      context.lineWidth = 2 * unit
      context.beginPath()
      context.arc(px, py, r, 0, 2 * Math.PI)
      context.moveTo(px - 1.5 * r, py)
      context.lineTo(px + 1.5 * r, py)
      context.moveTo(px, py - 1.5 * r)
      context.lineTo(px, py + 1.5 * r)
      context.stroke()
    }
  }
}
