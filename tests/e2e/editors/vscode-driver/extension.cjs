// Connects to the driver's socket and runs the functions that it sends, with VS Code's API at hand.
// One JSON object a line: {id, source, argument} → {id, result} or {id, error}.
const net = require('node:net');
const readline = require('node:readline');
const vscode = require('vscode');

exports.activate = () => {
  const socket = net.connect(process.env.FLUXCD_LS_DRIVER_SOCKET);
  readline.createInterface({ input: socket }).on('line', async (line) => {
    const { id, source, argument } = JSON.parse(line);
    let answer;
    try {
      const run = new Function('vscode', 'argument', `return (${source})(vscode, argument)`);
      answer = { id, result: await run(vscode, argument) };
    } catch (error) {
      answer = { id, error: String(error) };
    }
    socket.write(`${JSON.stringify(answer)}\n`);
  });
};
