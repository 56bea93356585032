"""The MQTT broker and the centre's connection to it: `mosquitto` runs the broker, `client` wraps paho."""
