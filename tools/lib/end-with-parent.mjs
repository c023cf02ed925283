// Preloaded into the controller by `npm start`: when that dies without a word (SIGKILL), the controller ends as well
// instead of holding its port without a database.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM');
}, 1_000).unref();
