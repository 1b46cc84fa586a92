/** An exported directory is missing, damaged, or newer than this runtime. */
export class ExportedFileError extends Error {
  name = "ExportedFileError";
}
