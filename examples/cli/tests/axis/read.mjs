// Reads H.264 pictures by RTSP over WebSocket with Axis' media-stream-library, as its own player does in a page, and
// prints a line for each: its RTP timestamp and the slices, each behind its length, in base64.
//
//     node read.mjs HOST:PORT RTSP-URL PICTURES
import { createRequire } from 'node:module'
import { Readable, Writable } from 'node:stream'
import WebSocket from 'ws'

// Its ES module cannot be loaded by Node ("Dynamic require of tty").
const require = createRequire(import.meta.url)
const { MessageType, RtspPipeline, H264Depay, Sink, Source } = require('media-stream-library')

const [host, uri, wanted] = process.argv.slice(2)
const socket = new WebSocket(`ws://${host}/rtsp-over-websocket`, 'binary')
socket.binaryType = 'arraybuffer'

const fail = (why) => {
  console.error(why)
  process.exit(1)
}
socket.on('error', (error) => fail(`socket: ${error.message}`))
socket.on('close', () => fail('the server closed the socket'))

// What the library's WSSource does; it is exported for browsers alone.
const incoming = new Readable({ objectMode: true, read() {} })
const outgoing = new Writable({
  objectMode: true,
  write(message, _encoding, done) {
    socket.send(message.data, done)
  },
})
socket.on('message', (data) => incoming.push({ data: Buffer.from(data), type: MessageType.RAW }))

let pictures = 0
const shown = new Writable({
  objectMode: true,
  write(message, _encoding, done) {
    if (message.type === MessageType.H264) {
      console.log(`${message.timestamp} ${message.data.toString('base64')}`)
      pictures += 1
      if (pictures === Number(wanted)) {
        process.exit(0)
      }
    }
    done()
  },
})
const silent = new Readable({ objectMode: true, read() {} })

socket.on('open', () => {
  const pipeline = new RtspPipeline({ uri })
  pipeline.rtsp.onError = (error) => fail(`RTSP: ${error.message}`)
  pipeline.prepend(new Source(incoming, outgoing))
  pipeline.append(new H264Depay())
  pipeline.append(new Sink(shown, silent))
  pipeline.rtsp.play()
})
setTimeout(() => fail(`${pictures} pictures in 30 s`), 30_000)
