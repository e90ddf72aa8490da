/** Where everything below the views writes what a person may need to find a fault. Never prompts, environment or secrets. */
export interface Log {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}
