// What TypeScript's DOM library lacks of what the sources use.

interface MediaSource {
  /** Media Source Extensions 2: stands for a MediaSource that lives in a Worker. */
  readonly handle: object;
}
interface MediaSourceConstructor {
  readonly canConstructInDedicatedWorker?: boolean;
}
/** The part of a Worker's global scope that worker.js uses; the whole of it clashes with the DOM library. */
interface WorkerScope {
  postMessage(message: unknown, transfer: Transferable[]): void;
  onmessage: (event: { data: unknown }) => void;
  addEventListener(type: 'error', listener: (event: ErrorEvent) => void): void;
  addEventListener(type: 'unhandledrejection', listener: (event: PromiseRejectionEvent) => void): void;
}
