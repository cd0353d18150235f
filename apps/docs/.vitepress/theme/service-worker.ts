import { withBase } from "vitepress";

/**
 * Registers the service worker that keeps the site for use without a network, in built sites only. A new version waits until `onUpdate`'s argument is
 * called: a page never changes under its reader, and an opened checkpoint is never lost to a reload that nobody asked for.
 */
export function registerServiceWorker(onUpdate: (apply: () => void) => void): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  // What a first visit shows comes before what a later one may need.
  const start = (): void => void watch(onUpdate).catch(() => undefined); // a site without its worker is a site that needs the network
  if (document.readyState === "complete") start();
  else addEventListener("load", start, { once: true });
}

async function watch(onUpdate: (apply: () => void) => void): Promise<void> {
  const registration = await navigator.serviceWorker.register(withBase("/sw.js"), { scope: withBase("/") });
  const offer = (worker: ServiceWorker): void => {
    onUpdate(() => {
      navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
      worker.postMessage({ type: "SKIP_WAITING" });
    });
  };
  // Without a controller this is the first visit, and what is installed is what is shown.
  if (registration.waiting && navigator.serviceWorker.controller) offer(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const worker = registration.installing;
    worker?.addEventListener("statechange", () => {
      if (worker.state === "installed" && navigator.serviceWorker.controller) offer(worker);
    });
  });
}
