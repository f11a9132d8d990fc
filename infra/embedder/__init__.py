"""The bundled embedder: all-MiniLM-L6-v2 in a process of its own.

Law: the server never imports numpy, onnxruntime or tokenizers; only ``worker``,
``lane`` and ``model`` do, and they run in the child. A vector travels as bytes.
"""
