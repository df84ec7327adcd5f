import DefaultTheme from 'vitepress/theme-without-fonts'
import { defineAsyncComponent, defineComponent, h, onMounted, ref } from 'vue'
import 'katex/dist/katex.min.css'
import './site.css'

/** A part of a page that is there in a browser only, and comes after the page. */
const later = (load) => {
  const Inner = defineAsyncComponent(load)
  return defineComponent(() => {
    const there = ref(false)
    onMounted(() => {
      there.value = true
    })
    return () => (there.value ? h(Inner) : h('p', { class: 'play-waiting' }, 'Loading ...'))
  })
}

export default {
  extends: DefaultTheme,
  enhanceApp: ({ app, router }) => {
    // the theme has a main landmark on pages of documents only
    router.onAfterRouteChange = () => {
      if (import.meta.env.SSR) return
      const content = document.getElementById('VPContent')
      if (document.querySelector('main') === null) content?.setAttribute('role', 'main')
      else content?.removeAttribute('role')
    }
    app.component(
      'PointsPlay',
      later(() => import('../../playground/points/Points.vue'))
    )
    app.component(
      'CoversPlay',
      later(() => import('../../playground/covers/Covers.vue'))
    )
    app.component(
      'FacesPlay',
      later(() => import('../../playground/faces/Faces.vue'))
    )
    if (!import.meta.env.SSR && import.meta.env.PROD && 'serviceWorker' in navigator) {
      void navigator.serviceWorker.register(`${import.meta.env.BASE_URL}sw.js`).catch(() => undefined)
    }
  }
}
