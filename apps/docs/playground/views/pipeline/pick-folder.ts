/** What Chromium has to choose a folder to write into. @see https://wicg.github.io/file-system-access/#api-showdirectorypicker */
type ShowDirectoryPicker = (options: { mode: "readwrite"; id: string }) => Promise<FileSystemDirectoryHandle>;

/** Asks for a folder to write into, to be called in a click; undefined where the browser cannot. Dismissing the dialogue gives no folder. */
export function pickFolder(): (() => Promise<FileSystemDirectoryHandle | undefined>) | undefined {
  const scope: { readonly location?: unknown; showDirectoryPicker?: ShowDirectoryPicker } = globalThis;
  const show = scope.showDirectoryPicker?.bind(globalThis);
  if (!show) return undefined;
  return () =>
    show({ mode: "readwrite", id: "ckptkit-output" }).catch((error: unknown) => {
      if (error instanceof DOMException && (error.name === "AbortError" || error.name === "SecurityError")) return undefined;
      throw error;
    });
}
