// For a failure case of the boot lab: an agent-manager that says why, and ends.
console.error('Error: the lab lets this agent-manager crash');
process.exit(1);
