/**
 * How a page of a report looks, and the one thing that it does.
 *
 * @since 0.1.0
 */

/**
 * The style sheet. Colours of lines are those that everyone tells apart (Okabe and Ito 2008), the dark ones lighter on a dark page.
 *
 * @category constants
 * @since 0.1.0
 */
export const style = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#59636e;--rule:#d5d9de;--page:#fff;--raised:#f5f6f8;
--c0:#0072b2;--c1:#d55e00;--c2:#008060;--c3:#b8558c;--c4:#1b1f24;--c5:#a86b00;--c6:#2384b5}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#9aa4af;--rule:#343b43;--page:#14171a;--raised:#1d2125;
--c0:#56b4e9;--c1:#ff9a4d;--c2:#35c99e;--c3:#e79ec4;--c4:#e6e9ed;--c5:#f0c23c;--c6:#8fd0f5}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1080px;padding:1.2rem 1rem 4rem;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:.2rem 0 1rem}h2{font-size:1.2rem;margin:0 0 .2rem;overflow-wrap:anywhere}
nav ul{padding:0;margin:0 0 1.6rem;list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.2rem}
a{color:var(--c0)}
section{border-top:1px solid var(--rule);padding:1.2rem 0}
.about{margin:.2rem 0 .8rem;max-width:75ch}
.state{color:var(--soft);font-size:.85rem;margin-left:.5rem;font-weight:normal}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:.6rem 0;font-size:.92rem}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,440px),1fr));gap:1rem 1.6rem}
figure{margin:.6rem 0}figcaption{font-weight:600;font-size:.92rem}
.chart{width:100%;height:auto;display:block}
.y{margin:0;font-size:.8rem;color:var(--soft)}
text{fill:var(--soft);font:12px system-ui,sans-serif}
.grid{stroke:var(--rule);stroke-width:.7;fill:none}.tick{stroke:var(--soft);stroke-width:1;fill:none}
.line{stroke:var(--own);stroke-width:2;fill:none}.bar{stroke:var(--own);stroke-width:1.2;fill:none}
.band{fill:var(--own);opacity:.18}.mark{fill:var(--own)}
.c0{--own:var(--c0)}.c1{--own:var(--c1)}.c2{--own:var(--c2)}.c3{--own:var(--c3)}.c4{--own:var(--c4)}.c5{--own:var(--c5)}.c6{--own:var(--c6)}
.d1 .line{stroke-dasharray:7 4}.d2 .line{stroke-dasharray:2 3}
.legend{list-style:none;margin:.3rem 0 0;padding:0;display:flex;flex-wrap:wrap;gap:.1rem 1rem;font-size:.85rem}
.legend li{display:flex;align-items:center;gap:.4rem}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.86rem;font-variant-numeric:tabular-nums;margin:.3rem 0 .8rem}
th,td{text-align:left;padding:.22rem .8rem .22rem 0;border-bottom:1px solid var(--rule);white-space:nowrap;vertical-align:top}
th{color:var(--soft);font-weight:600}td:first-child{white-space:normal;min-width:11rem}
.note{font-size:.88rem;color:var(--soft);max-width:80ch;margin:.8rem 0 .2rem}
.pair{position:relative;max-width:560px;line-height:0;background:var(--raised)}
.pair img{width:100%}.pair .over{position:absolute;inset:0;clip-path:inset(0 50% 0 0)}
.slider{display:grid;grid-template-columns:auto 1fr auto;gap:.6rem;align-items:center;max-width:560px;font-size:.88rem}
.slider input{width:100%}
@media (max-width:480px){dl{grid-template-columns:1fr}dd{margin-bottom:.3rem}}
details{margin:.4rem 0}summary{cursor:pointer;color:var(--soft)}
pre{background:var(--raised);padding:.7rem;overflow-x:auto;font-size:.82rem;margin:.4rem 0}
.none{color:var(--soft)}
`

/**
 * The script: a slider uncovers the picture before above the one after.
 *
 * @category constants
 * @since 0.1.0
 */
export const script = `
for (const slider of document.querySelectorAll('input[type=range]')) {
  const over = slider.closest('.compare').querySelector('.over')
  const show = () => { over.style.clipPath = 'inset(0 ' + (100 - Number(slider.value)) + '% 0 0)' }
  slider.addEventListener('input', show)
  show()
}
`
