/**
 * Starts the worker that comes with this package. It stands beside the built package's `index.js`, and is named here in the one way that Vite,
 * webpack and esbuild's plug-ins all understand.
 *
 * @throws {DOMException} SecurityError where not even a detour leads to the script
 */
export function startPoolWorker(): Worker {
  try {
    return new Worker(new URL("./pool-worker.js", import.meta.url), { type: "module", name: "ckptkit" });
  } catch (error) {
    // A page may not start a script of another server (a CDN) as its worker, but a script of its own may import one.
    const script = import.meta.url.replace(/[^/]*$/, "pool-worker.js");
    if (new URL(script).origin === location.origin) throw error;
    return startWorkerFrom(script);
  }
}

/** Starts a worker from a script at any address. Where it is on another server, the page's policy must allow `blob:` workers. */
export function startWorkerFrom(url: string | URL): Worker {
  const script = new URL(url, location.href);
  if (script.origin === location.origin || script.protocol === "blob:") return new Worker(script, { type: "module", name: "ckptkit" });
  const detour = URL.createObjectURL(new Blob([`import ${JSON.stringify(script.href)};`], { type: "text/javascript" }));
  const worker = new Worker(detour, { type: "module", name: "ckptkit" });
  // The script has been fetched when the worker says something, or when it fails.
  for (const event of ["message", "error"]) worker.addEventListener(event, () => URL.revokeObjectURL(detour), { once: true });
  return worker;
}
