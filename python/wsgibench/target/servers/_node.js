// node _node.js FD CONTENT-TYPE BODY LOG: one page on an inherited socket.
'use strict';

const fs = require('fs');
const http = require('http');

const [fd, contentType, body, log] = process.argv.slice(2);
const page = Buffer.from(body, 'latin1');
const fields = {'Content-Type': contentType, 'Content-Length': page.length};
const logFd = log === '1' ? fs.openSync('/dev/null', 'w') : -1;

const server = http.createServer((request, response) => {
  if (logFd >= 0) {
    fs.writeSync(
      logFd, 'info: connection from ' + request.socket.remoteAddress + '\n');
  }
  response.writeHead(200, fields);
  response.end(page);
});
process.on('SIGTERM', () => process.exit(0));
server.listen({fd: Number(fd)});
